import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from stic.runs.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OverlapPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERLAP_POLICY_UNSPECIFIED: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_SKIP: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_QUEUE: _ClassVar[OverlapPolicy]
    OVERLAP_POLICY_CANCEL_PREVIOUS: _ClassVar[OverlapPolicy]

class CatchUpPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CATCH_UP_POLICY_UNSPECIFIED: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_NONE: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_LAST: _ClassVar[CatchUpPolicy]
    CATCH_UP_POLICY_ALL: _ClassVar[CatchUpPolicy]

class TickOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_ORIGIN_UNSPECIFIED: _ClassVar[TickOrigin]
    TICK_ORIGIN_CLOCK: _ClassVar[TickOrigin]
    TICK_ORIGIN_CATCH_UP: _ClassVar[TickOrigin]
    TICK_ORIGIN_BACKFILL: _ClassVar[TickOrigin]
    TICK_ORIGIN_TRIGGER: _ClassVar[TickOrigin]

class TickState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_STATE_UNSPECIFIED: _ClassVar[TickState]
    TICK_STATE_WAITING: _ClassVar[TickState]
    TICK_STATE_RUNNING: _ClassVar[TickState]
    TICK_STATE_SUCCEEDED: _ClassVar[TickState]
    TICK_STATE_FAILED: _ClassVar[TickState]
    TICK_STATE_CANCELLED: _ClassVar[TickState]
    TICK_STATE_SKIPPED: _ClassVar[TickState]

class TickReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_REASON_UNSPECIFIED: _ClassVar[TickReason]
    TICK_REASON_OVERLAP: _ClassVar[TickReason]
    TICK_REASON_MISSED: _ClassVar[TickReason]
    TICK_REASON_OUTSIDE_WINDOW: _ClassVar[TickReason]
    TICK_REASON_SUPERSEDED: _ClassVar[TickReason]
    TICK_REASON_PAUSED: _ClassVar[TickReason]
    TICK_REASON_TOO_FEW_IMAGES: _ClassVar[TickReason]
    TICK_REASON_OVERTAKEN: _ClassVar[TickReason]
    TICK_REASON_QUEUE_FULL: _ClassVar[TickReason]
    TICK_REASON_IMPORTING: _ClassVar[TickReason]
    TICK_REASON_UNAVAILABLE: _ClassVar[TickReason]
    TICK_REASON_REFUSED: _ClassVar[TickReason]
    TICK_REASON_RUN_FAILED: _ClassVar[TickReason]
    TICK_REASON_RUN_CANCELLED: _ClassVar[TickReason]
    TICK_REASON_RUN_DELETED: _ClassVar[TickReason]
    TICK_REASON_DEADLINE: _ClassVar[TickReason]
OVERLAP_POLICY_UNSPECIFIED: OverlapPolicy
OVERLAP_POLICY_SKIP: OverlapPolicy
OVERLAP_POLICY_QUEUE: OverlapPolicy
OVERLAP_POLICY_CANCEL_PREVIOUS: OverlapPolicy
CATCH_UP_POLICY_UNSPECIFIED: CatchUpPolicy
CATCH_UP_POLICY_NONE: CatchUpPolicy
CATCH_UP_POLICY_LAST: CatchUpPolicy
CATCH_UP_POLICY_ALL: CatchUpPolicy
TICK_ORIGIN_UNSPECIFIED: TickOrigin
TICK_ORIGIN_CLOCK: TickOrigin
TICK_ORIGIN_CATCH_UP: TickOrigin
TICK_ORIGIN_BACKFILL: TickOrigin
TICK_ORIGIN_TRIGGER: TickOrigin
TICK_STATE_UNSPECIFIED: TickState
TICK_STATE_WAITING: TickState
TICK_STATE_RUNNING: TickState
TICK_STATE_SUCCEEDED: TickState
TICK_STATE_FAILED: TickState
TICK_STATE_CANCELLED: TickState
TICK_STATE_SKIPPED: TickState
TICK_REASON_UNSPECIFIED: TickReason
TICK_REASON_OVERLAP: TickReason
TICK_REASON_MISSED: TickReason
TICK_REASON_OUTSIDE_WINDOW: TickReason
TICK_REASON_SUPERSEDED: TickReason
TICK_REASON_PAUSED: TickReason
TICK_REASON_TOO_FEW_IMAGES: TickReason
TICK_REASON_OVERTAKEN: TickReason
TICK_REASON_QUEUE_FULL: TickReason
TICK_REASON_IMPORTING: TickReason
TICK_REASON_UNAVAILABLE: TickReason
TICK_REASON_REFUSED: TickReason
TICK_REASON_RUN_FAILED: TickReason
TICK_REASON_RUN_CANCELLED: TickReason
TICK_REASON_RUN_DELETED: TickReason
TICK_REASON_DEADLINE: TickReason

class ScheduleInput(_message.Message):
    __slots__ = ("role", "dataset_id", "refresh", "only_new", "minimum_items")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    REFRESH_FIELD_NUMBER: _ClassVar[int]
    ONLY_NEW_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_ITEMS_FIELD_NUMBER: _ClassVar[int]
    role: str
    dataset_id: str
    refresh: bool
    only_new: bool
    minimum_items: int
    def __init__(self, role: _Optional[str] = ..., dataset_id: _Optional[str] = ..., refresh: _Optional[bool] = ..., only_new: _Optional[bool] = ..., minimum_items: _Optional[int] = ...) -> None: ...

class ScheduleSpec(_message.Message):
    __slots__ = ("name", "cron", "zone", "recipe", "inputs", "overlap", "catch_up", "catch_up_window_seconds", "jitter_seconds", "pause_after_failures", "deadline_seconds", "priority", "requires")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    CATCH_UP_FIELD_NUMBER: _ClassVar[int]
    CATCH_UP_WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    JITTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PAUSE_AFTER_FAILURES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    name: str
    cron: str
    zone: str
    recipe: _recipe_pb2.Recipe
    inputs: _containers.RepeatedCompositeFieldContainer[ScheduleInput]
    overlap: OverlapPolicy
    catch_up: CatchUpPolicy
    catch_up_window_seconds: int
    jitter_seconds: int
    pause_after_failures: int
    deadline_seconds: int
    priority: int
    requires: _runs_pb2.Requirements
    def __init__(self, name: _Optional[str] = ..., cron: _Optional[str] = ..., zone: _Optional[str] = ..., recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., inputs: _Optional[_Iterable[_Union[ScheduleInput, _Mapping]]] = ..., overlap: _Optional[_Union[OverlapPolicy, str]] = ..., catch_up: _Optional[_Union[CatchUpPolicy, str]] = ..., catch_up_window_seconds: _Optional[int] = ..., jitter_seconds: _Optional[int] = ..., pause_after_failures: _Optional[int] = ..., deadline_seconds: _Optional[int] = ..., priority: _Optional[int] = ..., requires: _Optional[_Union[_runs_pb2.Requirements, _Mapping]] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("id", "spec", "recipe_digest", "created_at", "updated_at", "paused_at", "pause_reason", "failures", "next_at", "next_due_at", "latest_tick", "last_success")
    ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    RECIPE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_AT_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_AT_FIELD_NUMBER: _ClassVar[int]
    LATEST_TICK_FIELD_NUMBER: _ClassVar[int]
    LAST_SUCCESS_FIELD_NUMBER: _ClassVar[int]
    id: str
    spec: ScheduleSpec
    recipe_digest: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    paused_at: _timestamp_pb2.Timestamp
    pause_reason: str
    failures: int
    next_at: _timestamp_pb2.Timestamp
    next_due_at: _timestamp_pb2.Timestamp
    latest_tick: Tick
    last_success: Tick
    def __init__(self, id: _Optional[str] = ..., spec: _Optional[_Union[ScheduleSpec, _Mapping]] = ..., recipe_digest: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., paused_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pause_reason: _Optional[str] = ..., failures: _Optional[int] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_tick: _Optional[_Union[Tick, _Mapping]] = ..., last_success: _Optional[_Union[Tick, _Mapping]] = ...) -> None: ...

class Tick(_message.Message):
    __slots__ = ("id", "schedule_id", "origin", "nominal_at", "due_at", "taken_at", "fired_at", "ended_at", "state", "reason", "message", "run_id", "outcome")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    NOMINAL_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    FIRED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    id: str
    schedule_id: str
    origin: TickOrigin
    nominal_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    taken_at: _timestamp_pb2.Timestamp
    fired_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    state: TickState
    reason: TickReason
    message: str
    run_id: str
    outcome: str
    def __init__(self, id: _Optional[str] = ..., schedule_id: _Optional[str] = ..., origin: _Optional[_Union[TickOrigin, str]] = ..., nominal_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fired_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[TickState, str]] = ..., reason: _Optional[_Union[TickReason, str]] = ..., message: _Optional[str] = ..., run_id: _Optional[str] = ..., outcome: _Optional[str] = ...) -> None: ...

class CreateScheduleRequest(_message.Message):
    __slots__ = ("request_id", "spec")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    spec: ScheduleSpec
    def __init__(self, request_id: _Optional[str] = ..., spec: _Optional[_Union[ScheduleSpec, _Mapping]] = ...) -> None: ...

class GetScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class ListSchedulesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSchedulesResponse(_message.Message):
    __slots__ = ("schedules", "next_page_token")
    SCHEDULES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    schedules: _containers.RepeatedCompositeFieldContainer[Schedule]
    next_page_token: str
    def __init__(self, schedules: _Optional[_Iterable[_Union[Schedule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "spec")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    spec: ScheduleSpec
    def __init__(self, schedule_id: _Optional[str] = ..., spec: _Optional[_Union[ScheduleSpec, _Mapping]] = ...) -> None: ...

class PauseScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "reason")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    reason: str
    def __init__(self, schedule_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class DeleteScheduleRequest(_message.Message):
    __slots__ = ("schedule_id",)
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    def __init__(self, schedule_id: _Optional[str] = ...) -> None: ...

class DeleteScheduleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TriggerScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "request_id")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    request_id: str
    def __init__(self, schedule_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class BackfillScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "request_id", "start", "end")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    request_id: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    def __init__(self, schedule_id: _Optional[str] = ..., request_id: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BackfillScheduleResponse(_message.Message):
    __slots__ = ("ticks", "already")
    TICKS_FIELD_NUMBER: _ClassVar[int]
    ALREADY_FIELD_NUMBER: _ClassVar[int]
    ticks: _containers.RepeatedCompositeFieldContainer[Tick]
    already: int
    def __init__(self, ticks: _Optional[_Iterable[_Union[Tick, _Mapping]]] = ..., already: _Optional[int] = ...) -> None: ...

class PreviewScheduleRequest(_message.Message):
    __slots__ = ("schedule_id", "cron", "zone", "after", "count")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    cron: str
    zone: str
    after: _timestamp_pb2.Timestamp
    count: int
    def __init__(self, schedule_id: _Optional[str] = ..., cron: _Optional[str] = ..., zone: _Optional[str] = ..., after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class FireTime(_message.Message):
    __slots__ = ("nominal_at", "due_at", "local", "note")
    NOMINAL_AT_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    nominal_at: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    local: str
    note: str
    def __init__(self, nominal_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., local: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class PreviewScheduleResponse(_message.Message):
    __slots__ = ("fires",)
    FIRES_FIELD_NUMBER: _ClassVar[int]
    fires: _containers.RepeatedCompositeFieldContainer[FireTime]
    def __init__(self, fires: _Optional[_Iterable[_Union[FireTime, _Mapping]]] = ...) -> None: ...

class ListTicksRequest(_message.Message):
    __slots__ = ("schedule_id", "page_size", "page_token", "state")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    page_size: int
    page_token: str
    state: TickState
    def __init__(self, schedule_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[TickState, str]] = ...) -> None: ...

class ListTicksResponse(_message.Message):
    __slots__ = ("ticks", "next_page_token")
    TICKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ticks: _containers.RepeatedCompositeFieldContainer[Tick]
    next_page_token: str
    def __init__(self, ticks: _Optional[_Iterable[_Union[Tick, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
