import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KeepReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEEP_REASON_UNSPECIFIED: _ClassVar[KeepReason]
    KEEP_REASON_PINNED: _ClassVar[KeepReason]
    KEEP_REASON_ALIASED: _ClassVar[KeepReason]
    KEEP_REASON_IN_USE: _ClassVar[KeepReason]
    KEEP_REASON_YOUNG: _ClassVar[KeepReason]
    KEEP_REASON_LAST_OF_SCHEDULE: _ClassVar[KeepReason]
    KEEP_REASON_BEST: _ClassVar[KeepReason]
    KEEP_REASON_LINEAGE: _ClassVar[KeepReason]

class OrphanKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORPHAN_KIND_UNSPECIFIED: _ClassVar[OrphanKind]
    ORPHAN_KIND_BLOB: _ClassVar[OrphanKind]
    ORPHAN_KIND_TREE: _ClassVar[OrphanKind]
    ORPHAN_KIND_TEMPORARY: _ClassVar[OrphanKind]
KEEP_REASON_UNSPECIFIED: KeepReason
KEEP_REASON_PINNED: KeepReason
KEEP_REASON_ALIASED: KeepReason
KEEP_REASON_IN_USE: KeepReason
KEEP_REASON_YOUNG: KeepReason
KEEP_REASON_LAST_OF_SCHEDULE: KeepReason
KEEP_REASON_BEST: KeepReason
KEEP_REASON_LINEAGE: KeepReason
ORPHAN_KIND_UNSPECIFIED: OrphanKind
ORPHAN_KIND_BLOB: OrphanKind
ORPHAN_KIND_TREE: OrphanKind
ORPHAN_KIND_TEMPORARY: OrphanKind

class RetentionRules(_message.Message):
    __slots__ = ("keep_last_per_schedule", "keep_best_per_benchmark", "keep_days")
    KEEP_LAST_PER_SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    KEEP_BEST_PER_BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAYS_FIELD_NUMBER: _ClassVar[int]
    keep_last_per_schedule: int
    keep_best_per_benchmark: int
    keep_days: int
    def __init__(self, keep_last_per_schedule: _Optional[int] = ..., keep_best_per_benchmark: _Optional[int] = ..., keep_days: _Optional[int] = ...) -> None: ...

class Keep(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: KeepReason
    message: str
    def __init__(self, reason: _Optional[_Union[KeepReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("checkpoint_id", "run_id", "run_name", "name", "adapter_sha256", "created_at", "bytes", "frees", "keeps")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FREES_FIELD_NUMBER: _ClassVar[int]
    KEEPS_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    run_id: str
    run_name: str
    name: str
    adapter_sha256: str
    created_at: _timestamp_pb2.Timestamp
    bytes: int
    frees: int
    keeps: _containers.RepeatedCompositeFieldContainer[Keep]
    def __init__(self, checkpoint_id: _Optional[str] = ..., run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., name: _Optional[str] = ..., adapter_sha256: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bytes: _Optional[int] = ..., frees: _Optional[int] = ..., keeps: _Optional[_Iterable[_Union[Keep, _Mapping]]] = ...) -> None: ...

class PlanRetentionRequest(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: RetentionRules
    def __init__(self, rules: _Optional[_Union[RetentionRules, _Mapping]] = ...) -> None: ...

class RetentionPlan(_message.Message):
    __slots__ = ("rules", "verdicts", "going", "frees", "digest")
    RULES_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    GOING_FIELD_NUMBER: _ClassVar[int]
    FREES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    rules: RetentionRules
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    going: int
    frees: int
    digest: str
    def __init__(self, rules: _Optional[_Union[RetentionRules, _Mapping]] = ..., verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ..., going: _Optional[int] = ..., frees: _Optional[int] = ..., digest: _Optional[str] = ...) -> None: ...

class ApplyRetentionRequest(_message.Message):
    __slots__ = ("rules", "digest")
    RULES_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    rules: RetentionRules
    digest: str
    def __init__(self, rules: _Optional[_Union[RetentionRules, _Mapping]] = ..., digest: _Optional[str] = ...) -> None: ...

class ApplyRetentionResponse(_message.Message):
    __slots__ = ("deleted", "freed")
    DELETED_FIELD_NUMBER: _ClassVar[int]
    FREED_FIELD_NUMBER: _ClassVar[int]
    deleted: int
    freed: int
    def __init__(self, deleted: _Optional[int] = ..., freed: _Optional[int] = ...) -> None: ...

class PinCheckpointRequest(_message.Message):
    __slots__ = ("checkpoint_id", "pinned")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    pinned: bool
    def __init__(self, checkpoint_id: _Optional[str] = ..., pinned: _Optional[bool] = ...) -> None: ...

class PinCheckpointResponse(_message.Message):
    __slots__ = ("pinned_at",)
    PINNED_AT_FIELD_NUMBER: _ClassVar[int]
    pinned_at: _timestamp_pb2.Timestamp
    def __init__(self, pinned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Orphan(_message.Message):
    __slots__ = ("kind", "path", "bytes", "modified_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    kind: OrphanKind
    path: str
    bytes: int
    modified_at: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[OrphanKind, str]] = ..., path: _Optional[str] = ..., bytes: _Optional[int] = ..., modified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListOrphansRequest(_message.Message):
    __slots__ = ("older_than_hours",)
    OLDER_THAN_HOURS_FIELD_NUMBER: _ClassVar[int]
    older_than_hours: int
    def __init__(self, older_than_hours: _Optional[int] = ...) -> None: ...

class ListOrphansResponse(_message.Message):
    __slots__ = ("orphans", "total", "bytes", "before")
    ORPHANS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    orphans: _containers.RepeatedCompositeFieldContainer[Orphan]
    total: int
    bytes: int
    before: _timestamp_pb2.Timestamp
    def __init__(self, orphans: _Optional[_Iterable[_Union[Orphan, _Mapping]]] = ..., total: _Optional[int] = ..., bytes: _Optional[int] = ..., before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RemoveOrphansRequest(_message.Message):
    __slots__ = ("older_than_hours",)
    OLDER_THAN_HOURS_FIELD_NUMBER: _ClassVar[int]
    older_than_hours: int
    def __init__(self, older_than_hours: _Optional[int] = ...) -> None: ...

class RemoveOrphansResponse(_message.Message):
    __slots__ = ("removed", "freed")
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    FREED_FIELD_NUMBER: _ClassVar[int]
    removed: int
    freed: int
    def __init__(self, removed: _Optional[int] = ..., freed: _Optional[int] = ...) -> None: ...

class RetentionPolicy(_message.Message):
    __slots__ = ("rules", "enabled", "hour", "zone", "delivery_days", "skipped_tick_days", "next_at")
    RULES_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    HOUR_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_DAYS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_TICK_DAYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    rules: RetentionRules
    enabled: bool
    hour: int
    zone: str
    delivery_days: int
    skipped_tick_days: int
    next_at: _timestamp_pb2.Timestamp
    def __init__(self, rules: _Optional[_Union[RetentionRules, _Mapping]] = ..., enabled: _Optional[bool] = ..., hour: _Optional[int] = ..., zone: _Optional[str] = ..., delivery_days: _Optional[int] = ..., skipped_tick_days: _Optional[int] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetRetentionPolicyRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetRetentionPolicyRequest(_message.Message):
    __slots__ = ("policy",)
    POLICY_FIELD_NUMBER: _ClassVar[int]
    policy: RetentionPolicy
    def __init__(self, policy: _Optional[_Union[RetentionPolicy, _Mapping]] = ...) -> None: ...

class DeletedCheckpoint(_message.Message):
    __slots__ = ("checkpoint_id", "name", "bytes")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    name: str
    bytes: int
    def __init__(self, checkpoint_id: _Optional[str] = ..., name: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class RetentionApplication(_message.Message):
    __slots__ = ("id", "at", "actor", "rules", "deleted", "freed", "deliveries", "ticks")
    ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    FREED_FIELD_NUMBER: _ClassVar[int]
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    TICKS_FIELD_NUMBER: _ClassVar[int]
    id: str
    at: _timestamp_pb2.Timestamp
    actor: str
    rules: RetentionRules
    deleted: _containers.RepeatedCompositeFieldContainer[DeletedCheckpoint]
    freed: int
    deliveries: int
    ticks: int
    def __init__(self, id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., rules: _Optional[_Union[RetentionRules, _Mapping]] = ..., deleted: _Optional[_Iterable[_Union[DeletedCheckpoint, _Mapping]]] = ..., freed: _Optional[int] = ..., deliveries: _Optional[int] = ..., ticks: _Optional[int] = ...) -> None: ...

class ListRetentionApplicationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRetentionApplicationsResponse(_message.Message):
    __slots__ = ("applications", "next_page_token")
    APPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    applications: _containers.RepeatedCompositeFieldContainer[RetentionApplication]
    next_page_token: str
    def __init__(self, applications: _Optional[_Iterable[_Union[RetentionApplication, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
