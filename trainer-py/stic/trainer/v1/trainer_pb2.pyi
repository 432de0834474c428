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

class GetInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetInfoResponse(_message.Message):
    __slots__ = ("name", "version", "device", "dtype", "store_id", "capacity", "active_job_ids", "versions", "cpu_count", "memory_bytes", "labels", "gpu_memory_bytes")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    STORE_ID_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    GPU_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    device: str
    dtype: str
    store_id: str
    capacity: int
    active_job_ids: _containers.RepeatedScalarFieldContainer[str]
    versions: _containers.ScalarMap[str, str]
    cpu_count: int
    memory_bytes: int
    labels: _containers.ScalarMap[str, str]
    gpu_memory_bytes: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., device: _Optional[str] = ..., dtype: _Optional[str] = ..., store_id: _Optional[str] = ..., capacity: _Optional[int] = ..., active_job_ids: _Optional[_Iterable[str]] = ..., versions: _Optional[_Mapping[str, str]] = ..., cpu_count: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., labels: _Optional[_Mapping[str, str]] = ..., gpu_memory_bytes: _Optional[int] = ...) -> None: ...

class InspectModelRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class InspectModelResponse(_message.Message):
    __slots__ = ("model", "parameters", "bytes", "dtype", "max_positions", "image_tokens", "conversation", "warnings")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    MAX_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    model: _recipe_pb2.ModelSpec
    parameters: int
    bytes: int
    dtype: str
    max_positions: int
    image_tokens: int
    conversation: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, model: _Optional[_Union[_recipe_pb2.ModelSpec, _Mapping]] = ..., parameters: _Optional[int] = ..., bytes: _Optional[int] = ..., dtype: _Optional[str] = ..., max_positions: _Optional[int] = ..., image_tokens: _Optional[int] = ..., conversation: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class EstimateRunRequest(_message.Message):
    __slots__ = ("recipe", "inputs")
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    recipe: _recipe_pb2.Recipe
    inputs: _containers.RepeatedCompositeFieldContainer[JobInput]
    def __init__(self, recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., inputs: _Optional[_Iterable[_Union[JobInput, _Mapping]]] = ...) -> None: ...

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

class Spread(_message.Message):
    __slots__ = ("min", "median", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: int
    median: int
    max: int
    def __init__(self, min: _Optional[int] = ..., median: _Optional[int] = ..., max: _Optional[int] = ...) -> None: ...

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

class JobInput(_message.Message):
    __slots__ = ("role", "name", "sha256", "kind", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    role: str
    name: str
    sha256: str
    kind: ArtifactKind
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, role: _Optional[str] = ..., name: _Optional[str] = ..., sha256: _Optional[str] = ..., kind: _Optional[_Union[ArtifactKind, str]] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SubmitJobRequest(_message.Message):
    __slots__ = ("job_id", "run_id", "kind", "recipe", "inputs", "resume_from_job_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    RESUME_FROM_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    run_id: str
    kind: _recipe_pb2.StageKind
    recipe: _recipe_pb2.Recipe
    inputs: _containers.RepeatedCompositeFieldContainer[JobInput]
    resume_from_job_id: str
    def __init__(self, job_id: _Optional[str] = ..., run_id: _Optional[str] = ..., kind: _Optional[_Union[_recipe_pb2.StageKind, str]] = ..., recipe: _Optional[_Union[_recipe_pb2.Recipe, _Mapping]] = ..., inputs: _Optional[_Iterable[_Union[JobInput, _Mapping]]] = ..., resume_from_job_id: _Optional[str] = ...) -> None: ...

class SubmitJobResponse(_message.Message):
    __slots__ = ("created",)
    CREATED_FIELD_NUMBER: _ClassVar[int]
    created: bool
    def __init__(self, created: _Optional[bool] = ...) -> None: ...

class WatchJobRequest(_message.Message):
    __slots__ = ("job_id", "after_seq")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQ_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    after_seq: int
    def __init__(self, job_id: _Optional[str] = ..., after_seq: _Optional[int] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class CancelJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("seq", "at", "state", "progress", "metric", "log", "sample", "artifact", "skipped", "evaluation")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    seq: int
    at: _timestamp_pb2.Timestamp
    state: JobStateChange
    progress: Progress
    metric: MetricPoint
    log: LogLine
    sample: Sample
    artifact: Artifact
    skipped: SkippedItem
    evaluation: EvaluationScore
    def __init__(self, seq: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[JobStateChange, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., metric: _Optional[_Union[MetricPoint, _Mapping]] = ..., log: _Optional[_Union[LogLine, _Mapping]] = ..., sample: _Optional[_Union[Sample, _Mapping]] = ..., artifact: _Optional[_Union[Artifact, _Mapping]] = ..., skipped: _Optional[_Union[SkippedItem, _Mapping]] = ..., evaluation: _Optional[_Union[EvaluationScore, _Mapping]] = ...) -> None: ...

class JobStateChange(_message.Message):
    __slots__ = ("state", "error", "device", "dtype", "resumed_from_step", "facts")
    class FactsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FROM_STEP_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    state: JobState
    error: JobError
    device: str
    dtype: str
    resumed_from_step: int
    facts: _containers.ScalarMap[str, str]
    def __init__(self, state: _Optional[_Union[JobState, str]] = ..., error: _Optional[_Union[JobError, _Mapping]] = ..., device: _Optional[str] = ..., dtype: _Optional[str] = ..., resumed_from_step: _Optional[int] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

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

class ImportDatasetRequest(_message.Message):
    __slots__ = ("kind", "source", "image_root", "image_list")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ROOT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_LIST_FIELD_NUMBER: _ClassVar[int]
    kind: DatasetKind
    source: str
    image_root: str
    image_list: str
    def __init__(self, kind: _Optional[_Union[DatasetKind, str]] = ..., source: _Optional[str] = ..., image_root: _Optional[str] = ..., image_list: _Optional[str] = ...) -> None: ...

class ImportDatasetEvent(_message.Message):
    __slots__ = ("progress", "problem", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    problem: ImportProblem
    result: ImportResult
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., problem: _Optional[_Union[ImportProblem, _Mapping]] = ..., result: _Optional[_Union[ImportResult, _Mapping]] = ...) -> None: ...

class ImportProblem(_message.Message):
    __slots__ = ("name", "code", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportResult(_message.Message):
    __slots__ = ("manifest_sha256", "items", "skipped", "bytes", "benchmark", "duplicates", "repeats")
    MANIFEST_SHA256_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BENCHMARK_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    manifest_sha256: str
    items: int
    skipped: int
    bytes: int
    benchmark: str
    duplicates: int
    repeats: int
    def __init__(self, manifest_sha256: _Optional[str] = ..., items: _Optional[int] = ..., skipped: _Optional[int] = ..., bytes: _Optional[int] = ..., benchmark: _Optional[str] = ..., duplicates: _Optional[int] = ..., repeats: _Optional[int] = ...) -> None: ...

class ImportAdapterRequest(_message.Message):
    __slots__ = ("path", "model_path")
    PATH_FIELD_NUMBER: _ClassVar[int]
    MODEL_PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    model_path: str
    def __init__(self, path: _Optional[str] = ..., model_path: _Optional[str] = ...) -> None: ...

class ImportAdapterResponse(_message.Message):
    __slots__ = ("adapter_sha256", "bytes", "model", "lora")
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LORA_FIELD_NUMBER: _ClassVar[int]
    adapter_sha256: str
    bytes: int
    model: _recipe_pb2.ModelSpec
    lora: _recipe_pb2.LoraConfig
    def __init__(self, adapter_sha256: _Optional[str] = ..., bytes: _Optional[int] = ..., model: _Optional[_Union[_recipe_pb2.ModelSpec, _Mapping]] = ..., lora: _Optional[_Union[_recipe_pb2.LoraConfig, _Mapping]] = ...) -> None: ...

class ExportCheckpointRequest(_message.Message):
    __slots__ = ("adapter_sha256", "model", "dtype", "about")
    class AboutEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    adapter_sha256: str
    model: _recipe_pb2.ModelSpec
    dtype: str
    about: _containers.ScalarMap[str, str]
    def __init__(self, adapter_sha256: _Optional[str] = ..., model: _Optional[_Union[_recipe_pb2.ModelSpec, _Mapping]] = ..., dtype: _Optional[str] = ..., about: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ExportCheckpointEvent(_message.Message):
    __slots__ = ("progress", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    result: ExportResult
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., result: _Optional[_Union[ExportResult, _Mapping]] = ...) -> None: ...

class ExportResult(_message.Message):
    __slots__ = ("sha256", "bytes", "dtype", "largest_difference", "effect")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    LARGEST_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    bytes: int
    dtype: str
    largest_difference: float
    effect: float
    def __init__(self, sha256: _Optional[str] = ..., bytes: _Optional[int] = ..., dtype: _Optional[str] = ..., largest_difference: _Optional[float] = ..., effect: _Optional[float] = ...) -> None: ...
