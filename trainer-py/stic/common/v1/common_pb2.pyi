from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArtifactKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARTIFACT_KIND_UNSPECIFIED: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_BLOB: _ClassVar[ArtifactKind]
    ARTIFACT_KIND_TREE: _ClassVar[ArtifactKind]

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]
    JOB_STATE_LOST: _ClassVar[JobState]

class DatasetKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATASET_KIND_UNSPECIFIED: _ClassVar[DatasetKind]
    DATASET_KIND_IMAGES: _ClassVar[DatasetKind]
    DATASET_KIND_INSTRUCTIONS: _ClassVar[DatasetKind]
    DATASET_KIND_BENCHMARK: _ClassVar[DatasetKind]
    DATASET_KIND_PREFERENCES: _ClassVar[DatasetKind]
ARTIFACT_KIND_UNSPECIFIED: ArtifactKind
ARTIFACT_KIND_BLOB: ArtifactKind
ARTIFACT_KIND_TREE: ArtifactKind
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
JOB_STATE_LOST: JobState
DATASET_KIND_UNSPECIFIED: DatasetKind
DATASET_KIND_IMAGES: DatasetKind
DATASET_KIND_INSTRUCTIONS: DatasetKind
DATASET_KIND_BENCHMARK: DatasetKind
DATASET_KIND_PREFERENCES: DatasetKind

class Artifact(_message.Message):
    __slots__ = ("name", "kind", "sha256", "bytes", "media_type", "items", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: ArtifactKind
    sha256: str
    bytes: int
    media_type: str
    items: int
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[ArtifactKind, str]] = ..., sha256: _Optional[str] = ..., bytes: _Optional[int] = ..., media_type: _Optional[str] = ..., items: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class JobError(_message.Message):
    __slots__ = ("code", "message", "subject", "hint", "transient")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    TRANSIENT_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    subject: str
    hint: str
    transient: bool
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., subject: _Optional[str] = ..., hint: _Optional[str] = ..., transient: _Optional[bool] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("unit", "done", "total", "eta_seconds", "phase")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ETA_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    unit: str
    done: int
    total: int
    eta_seconds: float
    phase: str
    def __init__(self, unit: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., eta_seconds: _Optional[float] = ..., phase: _Optional[str] = ...) -> None: ...

class MetricPoint(_message.Message):
    __slots__ = ("name", "step", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    step: int
    value: float
    def __init__(self, name: _Optional[str] = ..., step: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...

class LogLine(_message.Message):
    __slots__ = ("level", "message")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    level: str
    message: str
    def __init__(self, level: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("subject", "image_sha256", "image_name", "prompt", "text")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    IMAGE_NAME_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    image_sha256: str
    image_name: str
    prompt: str
    text: str
    def __init__(self, subject: _Optional[str] = ..., image_sha256: _Optional[str] = ..., image_name: _Optional[str] = ..., prompt: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class SkippedItem(_message.Message):
    __slots__ = ("name", "code", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EvaluationScore(_message.Message):
    __slots__ = ("benchmark", "metric", "primary", "higher_is_better", "subject", "mode", "n", "value", "difference", "low", "high", "majority", "versus")
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    HIGHER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    MAJORITY_FIELD_NUMBER: _ClassVar[int]
    VERSUS_FIELD_NUMBER: _ClassVar[int]
    benchmark: str
    metric: str
    primary: bool
    higher_is_better: bool
    subject: str
    mode: str
    n: int
    value: float
    difference: float
    low: float
    high: float
    majority: float
    versus: str
    def __init__(self, benchmark: _Optional[str] = ..., metric: _Optional[str] = ..., primary: _Optional[bool] = ..., higher_is_better: _Optional[bool] = ..., subject: _Optional[str] = ..., mode: _Optional[str] = ..., n: _Optional[int] = ..., value: _Optional[float] = ..., difference: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., majority: _Optional[float] = ..., versus: _Optional[str] = ...) -> None: ...

class ImportProblem(_message.Message):
    __slots__ = ("name", "code", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class EstimateRunResponse(_message.Message):
    __slots__ = ("inputs", "stages", "max_positions", "memory_bytes")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    MAX_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[InputEstimate]
    stages: _containers.RepeatedCompositeFieldContainer[StageEstimate]
    max_positions: int
    memory_bytes: int
    def __init__(self, inputs: _Optional[_Iterable[_Union[InputEstimate, _Mapping]]] = ..., stages: _Optional[_Iterable[_Union[StageEstimate, _Mapping]]] = ..., max_positions: _Optional[int] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class InputEstimate(_message.Message):
    __slots__ = ("role", "items", "sampled", "image_tokens")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    role: str
    items: int
    sampled: int
    image_tokens: Spread
    def __init__(self, role: _Optional[str] = ..., items: _Optional[int] = ..., sampled: _Optional[int] = ..., image_tokens: _Optional[_Union[Spread, _Mapping]] = ...) -> None: ...

class StageEstimate(_message.Message):
    __slots__ = ("kind", "rows", "sampled", "shortest", "longest", "always_too_long", "possibly_too_long", "limit_field", "limit", "longest_excess", "memory_bytes", "memory")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    SHORTEST_FIELD_NUMBER: _ClassVar[int]
    LONGEST_FIELD_NUMBER: _ClassVar[int]
    ALWAYS_TOO_LONG_FIELD_NUMBER: _ClassVar[int]
    POSSIBLY_TOO_LONG_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LONGEST_EXCESS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    kind: _recipe_pb2.StageKind
    rows: int
    sampled: int
    shortest: Spread
    longest: Spread
    always_too_long: int
    possibly_too_long: int
    limit_field: str
    limit: int
    longest_excess: int
    memory_bytes: int
    memory: _containers.RepeatedCompositeFieldContainer[MemoryPart]
    def __init__(self, kind: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., rows: _Optional[int] = ..., sampled: _Optional[int] = ..., shortest: _Optional[_Union[Spread, _Mapping]] = ..., longest: _Optional[_Union[Spread, _Mapping]] = ..., always_too_long: _Optional[int] = ..., possibly_too_long: _Optional[int] = ..., limit_field: _Optional[str] = ..., limit: _Optional[int] = ..., longest_excess: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., memory: _Optional[_Iterable[_Union[MemoryPart, _Mapping]]] = ...) -> None: ...

class MemoryPart(_message.Message):
    __slots__ = ("name", "bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    bytes: int
    def __init__(self, name: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class Spread(_message.Message):
    __slots__ = ("min", "median", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: int
    median: int
    max: int
    def __init__(self, min: _Optional[int] = ..., median: _Optional[int] = ..., max: _Optional[int] = ...) -> None: ...
