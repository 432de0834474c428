import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MergedState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MERGED_STATE_UNSPECIFIED: _ClassVar[MergedState]
    MERGED_STATE_RUNNING: _ClassVar[MergedState]
    MERGED_STATE_READY: _ClassVar[MergedState]
    MERGED_STATE_FAILED: _ClassVar[MergedState]
MERGED_STATE_UNSPECIFIED: MergedState
MERGED_STATE_RUNNING: MergedState
MERGED_STATE_READY: MergedState
MERGED_STATE_FAILED: MergedState

class Checkpoint(_message.Message):
    __slots__ = ("id", "run_id", "run_name", "name", "adapter_sha256", "path", "bytes", "base_model_path", "base_model_digest", "parent_id", "created_at", "pinned_at", "deleted_at", "imported_from", "lora")
    ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    PINNED_AT_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FROM_FIELD_NUMBER: _ClassVar[int]
    LORA_FIELD_NUMBER: _ClassVar[int]
    id: str
    run_id: str
    run_name: str
    name: str
    adapter_sha256: str
    path: str
    bytes: int
    base_model_path: str
    base_model_digest: str
    parent_id: str
    created_at: _timestamp_pb2.Timestamp
    pinned_at: _timestamp_pb2.Timestamp
    deleted_at: _timestamp_pb2.Timestamp
    imported_from: str
    lora: _recipe_pb2.LoraConfig
    def __init__(self, id: _Optional[str] = ..., run_id: _Optional[str] = ..., run_name: _Optional[str] = ..., name: _Optional[str] = ..., adapter_sha256: _Optional[str] = ..., path: _Optional[str] = ..., bytes: _Optional[int] = ..., base_model_path: _Optional[str] = ..., base_model_digest: _Optional[str] = ..., parent_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pinned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., imported_from: _Optional[str] = ..., lora: _Optional[_Union[_recipe_pb2.LoraConfig, _Mapping]] = ...) -> None: ...

class ImportCheckpointRequest(_message.Message):
    __slots__ = ("request_id", "name", "path", "base_model_path")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    path: str
    base_model_path: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., path: _Optional[str] = ..., base_model_path: _Optional[str] = ...) -> None: ...

class GetCheckpointRequest(_message.Message):
    __slots__ = ("checkpoint_id",)
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    def __init__(self, checkpoint_id: _Optional[str] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "run_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    run_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., run_id: _Optional[str] = ...) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints", "next_page_token")
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[Checkpoint]
    next_page_token: str
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[Checkpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetLineageRequest(_message.Message):
    __slots__ = ("checkpoint_id",)
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    def __init__(self, checkpoint_id: _Optional[str] = ...) -> None: ...

class LineageNode(_message.Message):
    __slots__ = ("type", "id", "label", "digest", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    type: str
    id: str
    label: str
    digest: str
    facts: _containers.ScalarMap[str, str]
    def __init__(self, type: _Optional[str] = ..., id: _Optional[str] = ..., label: _Optional[str] = ..., digest: _Optional[str] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class LineageEdge(_message.Message):
    __slots__ = ("to",)
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    to: str
    def __init__(self, to: _Optional[str] = ..., **kwargs) -> None: ...

class Lineage(_message.Message):
    __slots__ = ("nodes", "edges")
    NODES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[LineageNode]
    edges: _containers.RepeatedCompositeFieldContainer[LineageEdge]
    def __init__(self, nodes: _Optional[_Iterable[_Union[LineageNode, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[LineageEdge, _Mapping]]] = ...) -> None: ...

class ExportMergedRequest(_message.Message):
    __slots__ = ("checkpoint_id", "dtype")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    dtype: str
    def __init__(self, checkpoint_id: _Optional[str] = ..., dtype: _Optional[str] = ...) -> None: ...

class GetMergedExportRequest(_message.Message):
    __slots__ = ("checkpoint_id", "dtype")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    dtype: str
    def __init__(self, checkpoint_id: _Optional[str] = ..., dtype: _Optional[str] = ...) -> None: ...

class MergedExport(_message.Message):
    __slots__ = ("checkpoint_id", "dtype", "state", "phase", "done", "total", "error_code", "error", "sha256", "bytes", "stored_dtype", "largest_difference", "effect", "created_at")
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    STORED_DTYPE_FIELD_NUMBER: _ClassVar[int]
    LARGEST_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    checkpoint_id: str
    dtype: str
    state: MergedState
    phase: str
    done: int
    total: int
    error_code: str
    error: str
    sha256: str
    bytes: int
    stored_dtype: str
    largest_difference: float
    effect: float
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, checkpoint_id: _Optional[str] = ..., dtype: _Optional[str] = ..., state: _Optional[_Union[MergedState, str]] = ..., phase: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., error_code: _Optional[str] = ..., error: _Optional[str] = ..., sha256: _Optional[str] = ..., bytes: _Optional[int] = ..., stored_dtype: _Optional[str] = ..., largest_difference: _Optional[float] = ..., effect: _Optional[float] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
