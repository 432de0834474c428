import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from stic.trainer.v1 import trainer_pb2 as _trainer_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RunState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_STATE_UNSPECIFIED: _ClassVar[RunState]
    RUN_STATE_QUEUED: _ClassVar[RunState]
    RUN_STATE_RUNNING: _ClassVar[RunState]
    RUN_STATE_CANCELLING: _ClassVar[RunState]
    RUN_STATE_SUCCEEDED: _ClassVar[RunState]
    RUN_STATE_FAILED: _ClassVar[RunState]
    RUN_STATE_CANCELLED: _ClassVar[RunState]
    RUN_STATE_PAUSING: _ClassVar[RunState]
    RUN_STATE_PAUSED: _ClassVar[RunState]

class StageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_STATE_UNSPECIFIED: _ClassVar[StageState]
    STAGE_STATE_PENDING: _ClassVar[StageState]
    STAGE_STATE_READY: _ClassVar[StageState]
    STAGE_STATE_RUNNING: _ClassVar[StageState]
    STAGE_STATE_SUCCEEDED: _ClassVar[StageState]
    STAGE_STATE_FAILED: _ClassVar[StageState]
    STAGE_STATE_CANCELLED: _ClassVar[StageState]
    STAGE_STATE_SKIPPED: _ClassVar[StageState]
    STAGE_STATE_PAUSED: _ClassVar[StageState]
RUN_STATE_UNSPECIFIED: RunState
RUN_STATE_QUEUED: RunState
RUN_STATE_RUNNING: RunState
RUN_STATE_CANCELLING: RunState
RUN_STATE_SUCCEEDED: RunState
RUN_STATE_FAILED: RunState
RUN_STATE_CANCELLED: RunState
RUN_STATE_PAUSING: RunState
RUN_STATE_PAUSED: RunState
STAGE_STATE_UNSPECIFIED: StageState
STAGE_STATE_PENDING: StageState
STAGE_STATE_READY: StageState
STAGE_STATE_RUNNING: StageState
STAGE_STATE_SUCCEEDED: StageState
STAGE_STATE_FAILED: StageState
STAGE_STATE_CANCELLED: StageState
STAGE_STATE_SKIPPED: StageState
STAGE_STATE_PAUSED: StageState

class Run(_message.Message):
    __slots__ = ("id", "name", "state", "recipe", "recipe_digest", "differences", "inputs", "stages", "created_at", "started_at", "ended_at", "error", "skipped", "eta_seconds", "queue_position", "warnings", "priority", "requires", "reuse_stages", "waiting", "fork", "schedule", "outcome", "preflight")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    RECIPE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_POSITION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    REUSE_STAGES_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PREFLIGHT_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    state: RunState
    recipe: _recipe_pb2.Recipe
    recipe_digest: str
    differences: _containers.RepeatedCompositeFieldContainer[FieldDifference]
    inputs: _containers.RepeatedCompositeFieldContainer[RunInput]
    stages: _containers.RepeatedCompositeFieldContainer[Stage]
    created_at: _timestamp_pb2.Timestamp
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    error: _trainer_pb2.JobError
    skipped: int
    eta_seconds: float
    queue_position: int
    warnings: _containers.RepeatedScalarFieldContainer[str]
    priority: int
    requires: Requirements
    reuse_stages: bool
    waiting: str
    fork: Fork
    schedule: RunSchedule
    outcome: str
    preflight: Preflight
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[RunState, str]] = ..., recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., recipe_digest: _Optional[str] = ..., differences: _Optional[_Iterable[_Union[FieldDifference, _Mapping]]] = ..., inputs: _Optional[_Iterable[_Union[RunInput, _Mapping]]] = ..., stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_trainer_pb2.JobError, _Mapping]] = ..., skipped: _Optional[int] = ..., eta_seconds: _Optional[float] = ..., queue_position: _Optional[int] = ..., warnings: _Optional[_Iterable[str]] = ..., priority: _Optional[int] = ..., requires: _Optional[_Union[Requirements, _Mapping]] = ..., reuse_stages: _Optional[bool] = ..., waiting: _Optional[str] = ..., fork: _Optional[_Union[Fork, _Mapping]] = ..., schedule: _Optional[_Union[RunSchedule, _Mapping]] = ..., outcome: _Optional[str] = ..., preflight: _Optional[_Union[Preflight, _Mapping]] = ...) -> None: ...

class Preflight(_message.Message):
    __slots__ = ("refused", "estimate", "unavailable", "times", "seconds", "obstacles")
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    OBSTACLES_FIELD_NUMBER: _ClassVar[int]
    refused: _containers.RepeatedCompositeFieldContainer[RefusedShare]
    estimate: _trainer_pb2.EstimateRunResponse
    unavailable: str
    times: _containers.RepeatedCompositeFieldContainer[StageTime]
    seconds: float
    obstacles: _containers.RepeatedCompositeFieldContainer[Obstacle]
    def __init__(self, refused: _Optional[_Iterable[_Union[RefusedShare, _Mapping]]] = ..., estimate: _Optional[_Union[_trainer_pb2.EstimateRunResponse, _Mapping]] = ..., unavailable: _Optional[str] = ..., times: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., seconds: _Optional[float] = ..., obstacles: _Optional[_Iterable[_Union[Obstacle, _Mapping]]] = ...) -> None: ...

class RefusedShare(_message.Message):
    __slots__ = ("role", "refused", "items", "share", "allowed", "field")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    role: str
    refused: int
    items: int
    share: float
    allowed: float
    field: str
    def __init__(self, role: _Optional[str] = ..., refused: _Optional[int] = ..., items: _Optional[int] = ..., share: _Optional[float] = ..., allowed: _Optional[float] = ..., field: _Optional[str] = ...) -> None: ...

class StageTime(_message.Message):
    __slots__ = ("kind", "seconds", "unit", "units")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    kind: _recipe_pb2.StageKind
    seconds: float
    unit: str
    units: int
    def __init__(self, kind: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., seconds: _Optional[float] = ..., unit: _Optional[str] = ..., units: _Optional[int] = ...) -> None: ...

class Obstacle(_message.Message):
    __slots__ = ("field", "message", "hint")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    field: str
    message: str
    hint: str
    def __init__(self, field: _Optional[str] = ..., message: _Optional[str] = ..., hint: _Optional[str] = ...) -> None: ...

class RunSchedule(_message.Message):
    __slots__ = ("schedule_id", "schedule_name")
    SCHEDULE_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_NAME_FIELD_NUMBER: _ClassVar[int]
    schedule_id: str
    schedule_name: str
    def __init__(self, schedule_id: _Optional[str] = ..., schedule_name: _Optional[str] = ...) -> None: ...

class Requirements(_message.Message):
    __slots__ = ("labels", "gpu_memory_gib")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LABELS_FIELD_NUMBER: _ClassVar[int]
    GPU_MEMORY_GIB_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.ScalarMap[str, str]
    gpu_memory_gib: float
    def __init__(self, labels: _Optional[_Mapping[str, str]] = ..., gpu_memory_gib: _Optional[float] = ...) -> None: ...

class Fork(_message.Message):
    __slots__ = ("run_id", "run_name", "changes")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    run_name: str
    changes: _containers.RepeatedCompositeFieldContainer[FieldChange]
    def __init__(self, run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[FieldChange, _Mapping]]] = ...) -> None: ...

class FieldChange(_message.Message):
    __slots__ = ("field", "to")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    field: str
    to: str
    def __init__(self, field: _Optional[str] = ..., to: _Optional[str] = ..., **kwargs) -> None: ...

class FieldDifference(_message.Message):
    __slots__ = ("field", "paper", "run")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    PAPER_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    field: str
    paper: str
    run: str
    def __init__(self, field: _Optional[str] = ..., paper: _Optional[str] = ..., run: _Optional[str] = ...) -> None: ...

class RunInput(_message.Message):
    __slots__ = ("role", "dataset_id", "dataset_name", "version_id", "digest", "items", "skipped")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    role: str
    dataset_id: str
    dataset_name: str
    version_id: str
    digest: str
    items: int
    skipped: int
    def __init__(self, role: _Optional[str] = ..., dataset_id: _Optional[str] = ..., dataset_name: _Optional[str] = ..., version_id: _Optional[str] = ..., digest: _Optional[str] = ..., items: _Optional[int] = ..., skipped: _Optional[int] = ...) -> None: ...

class Stage(_message.Message):
    __slots__ = ("id", "kind", "state", "progress", "attempts", "artifacts", "started_at", "ended_at", "error", "after", "linked_from")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LINKED_FROM_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: _recipe_pb2.StageKind
    state: StageState
    progress: _trainer_pb2.Progress
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    artifacts: _containers.RepeatedCompositeFieldContainer[_trainer_pb2.Artifact]
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    error: _trainer_pb2.JobError
    after: _containers.RepeatedScalarFieldContainer[_recipe_pb2.StageKind]
    linked_from: Link
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., state: _Optional[_Union[StageState, str]] = ..., progress: _Optional[_Union[_trainer_pb2.Progress, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., artifacts: _Optional[_Iterable[_Union[_trainer_pb2.Artifact, _Mapping]]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_trainer_pb2.JobError, _Mapping]] = ..., after: _Optional[_Iterable[_Union[_recipe_pb2.StageKind, str]]] = ..., linked_from: _Optional[_Union[Link, _Mapping]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("run_id", "run_name", "stage_id", "attempt_id")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    run_name: str
    stage_id: str
    attempt_id: str
    def __init__(self, run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., stage_id: _Optional[str] = ..., attempt_id: _Optional[str] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("id", "number", "state", "trainer", "device", "dtype", "resumed_from_step", "started_at", "ended_at", "error", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRAINER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: int
    state: _trainer_pb2.JobState
    trainer: str
    device: str
    dtype: str
    resumed_from_step: int
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    error: _trainer_pb2.JobError
    facts: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., number: _Optional[int] = ..., state: _Optional[_Union[_trainer_pb2.JobState, str]] = ..., trainer: _Optional[str] = ..., device: _Optional[str] = ..., dtype: _Optional[str] = ..., resumed_from_step: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_trainer_pb2.JobError, _Mapping]] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListPresetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Preset(_message.Message):
    __slots__ = ("name", "description", "recipe", "differences")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    recipe: _recipe_pb2.Recipe
    differences: _containers.RepeatedCompositeFieldContainer[FieldDifference]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., differences: _Optional[_Iterable[_Union[FieldDifference, _Mapping]]] = ...) -> None: ...

class ListPresetsResponse(_message.Message):
    __slots__ = ("presets",)
    PRESETS_FIELD_NUMBER: _ClassVar[int]
    presets: _containers.RepeatedCompositeFieldContainer[Preset]
    def __init__(self, presets: _Optional[_Iterable[_Union[Preset, _Mapping]]] = ...) -> None: ...

class CreateRunRequest(_message.Message):
    __slots__ = ("request_id", "name", "recipe", "inputs", "validate_only", "priority", "requires", "reuse_stages", "forked_from", "changes")
    class ChangesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_FIELD_NUMBER: _ClassVar[int]
    REUSE_STAGES_FIELD_NUMBER: _ClassVar[int]
    FORKED_FROM_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    recipe: _recipe_pb2.Recipe
    inputs: _containers.RepeatedCompositeFieldContainer[RunInput]
    validate_only: bool
    priority: int
    requires: Requirements
    reuse_stages: bool
    forked_from: str
    changes: _containers.ScalarMap[str, str]
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., inputs: _Optional[_Iterable[_Union[RunInput, _Mapping]]] = ..., validate_only: _Optional[bool] = ..., priority: _Optional[int] = ..., requires: _Optional[_Union[Requirements, _Mapping]] = ..., reuse_stages: _Optional[bool] = ..., forked_from: _Optional[str] = ..., changes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "state")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    state: RunState
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[RunState, str]] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs", "next_page_token")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    next_page_token: str
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class PauseRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ResumeRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class RetryRunRequest(_message.Message):
    __slots__ = ("run_id", "from_stage")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_STAGE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    from_stage: _recipe_pb2.StageKind
    def __init__(self, run_id: _Optional[str] = ..., from_stage: _Optional[_Union[_recipe_pb2.StageKind, str]] = ...) -> None: ...

class WatchRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ListMetricsRequest(_message.Message):
    __slots__ = ("run_id", "cursor", "page_size", "all_attempts")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ALL_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    cursor: str
    page_size: int
    all_attempts: bool
    def __init__(self, run_id: _Optional[str] = ..., cursor: _Optional[str] = ..., page_size: _Optional[int] = ..., all_attempts: _Optional[bool] = ...) -> None: ...

class StoredMetric(_message.Message):
    __slots__ = ("attempt_id", "stage", "point")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    stage: _recipe_pb2.StageKind
    point: _trainer_pb2.MetricPoint
    def __init__(self, attempt_id: _Optional[str] = ..., stage: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., point: _Optional[_Union[_trainer_pb2.MetricPoint, _Mapping]] = ...) -> None: ...

class ListMetricsResponse(_message.Message):
    __slots__ = ("metrics", "next_cursor", "more")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[StoredMetric]
    next_cursor: str
    more: bool
    def __init__(self, metrics: _Optional[_Iterable[_Union[StoredMetric, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., more: _Optional[bool] = ...) -> None: ...

class ListLogsRequest(_message.Message):
    __slots__ = ("run_id", "cursor", "page_size")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    cursor: str
    page_size: int
    def __init__(self, run_id: _Optional[str] = ..., cursor: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class StoredLog(_message.Message):
    __slots__ = ("stage", "attempt", "at", "line")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    stage: _recipe_pb2.StageKind
    attempt: int
    at: _timestamp_pb2.Timestamp
    line: _trainer_pb2.LogLine
    def __init__(self, stage: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., attempt: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., line: _Optional[_Union[_trainer_pb2.LogLine, _Mapping]] = ...) -> None: ...

class ListLogsResponse(_message.Message):
    __slots__ = ("logs", "next_cursor", "more")
    LOGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    logs: _containers.RepeatedCompositeFieldContainer[StoredLog]
    next_cursor: str
    more: bool
    def __init__(self, logs: _Optional[_Iterable[_Union[StoredLog, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., more: _Optional[bool] = ...) -> None: ...

class ListPairsRequest(_message.Message):
    __slots__ = ("run_id", "page_size", "page_token", "made_by")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    page_size: int
    page_token: str
    made_by: str
    def __init__(self, run_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., made_by: _Optional[str] = ...) -> None: ...

class Pair(_message.Message):
    __slots__ = ("id", "image_sha256", "image_name", "prompt", "chosen", "rejected", "made_by", "rejected_prompt", "corrupted_image_sha256", "corruption_parameters", "seed", "index")
    class CorruptionParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    IMAGE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    MADE_BY_FIELD_NUMBER: _ClassVar[int]
    REJECTED_PROMPT_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CORRUPTION_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    id: str
    image_sha256: str
    image_name: str
    prompt: str
    chosen: str
    rejected: str
    made_by: str
    rejected_prompt: str
    corrupted_image_sha256: str
    corruption_parameters: _containers.ScalarMap[str, float]
    seed: int
    index: int
    def __init__(self, id: _Optional[str] = ..., image_sha256: _Optional[str] = ..., image_name: _Optional[str] = ..., prompt: _Optional[str] = ..., chosen: _Optional[str] = ..., rejected: _Optional[str] = ..., made_by: _Optional[str] = ..., rejected_prompt: _Optional[str] = ..., corrupted_image_sha256: _Optional[str] = ..., corruption_parameters: _Optional[_Mapping[str, float]] = ..., seed: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class ListPairsResponse(_message.Message):
    __slots__ = ("pairs", "next_page_token", "total", "counts")
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[Pair]
    next_page_token: str
    total: int
    counts: _containers.ScalarMap[str, int]
    def __init__(self, pairs: _Optional[_Iterable[_Union[Pair, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total: _Optional[int] = ..., counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class ListSamplesRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class ListSamplesResponse(_message.Message):
    __slots__ = ("samples",)
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    samples: _containers.RepeatedCompositeFieldContainer[_trainer_pb2.Sample]
    def __init__(self, samples: _Optional[_Iterable[_Union[_trainer_pb2.Sample, _Mapping]]] = ...) -> None: ...

class ListSkippedRequest(_message.Message):
    __slots__ = ("run_id", "page_size", "page_token")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    page_size: int
    page_token: str
    def __init__(self, run_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class Skipped(_message.Message):
    __slots__ = ("where", "item")
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    where: str
    item: _trainer_pb2.SkippedItem
    def __init__(self, where: _Optional[str] = ..., item: _Optional[_Union[_trainer_pb2.SkippedItem, _Mapping]] = ...) -> None: ...

class ListSkippedResponse(_message.Message):
    __slots__ = ("skipped", "next_page_token")
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    skipped: _containers.RepeatedCompositeFieldContainer[Skipped]
    next_page_token: str
    def __init__(self, skipped: _Optional[_Iterable[_Union[Skipped, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
