import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from stic.common.v1 import common_pb2 as _common_pb2
from stic.recipe.v1 import recipe_pb2 as _recipe_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
    kind: _common_pb2.ArtifactKind
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, role: _Optional[str] = ..., name: _Optional[str] = ..., sha256: _Optional[str] = ..., kind: _Optional[_Union[_common_pb2.ArtifactKind, str]] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

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
    progress: _common_pb2.Progress
    metric: _common_pb2.MetricPoint
    log: _common_pb2.LogLine
    sample: _common_pb2.Sample
    artifact: _common_pb2.Artifact
    skipped: _common_pb2.SkippedItem
    evaluation: _common_pb2.EvaluationScore
    def __init__(self, seq: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[JobStateChange, _Mapping]] = ..., progress: _Optional[_Union[_common_pb2.Progress, _Mapping]] = ..., metric: _Optional[_Union[_common_pb2.MetricPoint, _Mapping]] = ..., log: _Optional[_Union[_common_pb2.LogLine, _Mapping]] = ..., sample: _Optional[_Union[_common_pb2.Sample, _Mapping]] = ..., artifact: _Optional[_Union[_common_pb2.Artifact, _Mapping]] = ..., skipped: _Optional[_Union[_common_pb2.SkippedItem, _Mapping]] = ..., evaluation: _Optional[_Union[_common_pb2.EvaluationScore, _Mapping]] = ...) -> None: ...

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
    state: _common_pb2.JobState
    error: _common_pb2.JobError
    device: str
    dtype: str
    resumed_from_step: int
    facts: _containers.ScalarMap[str, str]
    def __init__(self, state: _Optional[_Union[_common_pb2.JobState, str]] = ..., error: _Optional[_Union[_common_pb2.JobError, _Mapping]] = ..., device: _Optional[str] = ..., dtype: _Optional[str] = ..., resumed_from_step: _Optional[int] = ..., facts: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ImportDatasetRequest(_message.Message):
    __slots__ = ("kind", "source", "image_root", "image_list")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_ROOT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_LIST_FIELD_NUMBER: _ClassVar[int]
    kind: _common_pb2.DatasetKind
    source: str
    image_root: str
    image_list: str
    def __init__(self, kind: _Optional[_Union[_common_pb2.DatasetKind, str]] = ..., source: _Optional[str] = ..., image_root: _Optional[str] = ..., image_list: _Optional[str] = ...) -> None: ...

class ImportDatasetEvent(_message.Message):
    __slots__ = ("progress", "problem", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: _common_pb2.Progress
    problem: _common_pb2.ImportProblem
    result: ImportResult
    def __init__(self, progress: _Optional[_Union[_common_pb2.Progress, _Mapping]] = ..., problem: _Optional[_Union[_common_pb2.ImportProblem, _Mapping]] = ..., result: _Optional[_Union[ImportResult, _Mapping]] = ...) -> None: ...

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
    progress: _common_pb2.Progress
    result: ExportResult
    def __init__(self, progress: _Optional[_Union[_common_pb2.Progress, _Mapping]] = ..., result: _Optional[_Union[ExportResult, _Mapping]] = ...) -> None: ...

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
