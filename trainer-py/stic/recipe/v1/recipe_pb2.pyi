from stic.api.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartPoint(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    START_POINT_UNSPECIFIED: _ClassVar[StartPoint]
    START_POINT_BASE: _ClassVar[StartPoint]
    START_POINT_ALIAS: _ClassVar[StartPoint]
    START_POINT_CHECKPOINT: _ClassVar[StartPoint]

class StageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_KIND_UNSPECIFIED: _ClassVar[StageKind]
    STAGE_KIND_PREFER: _ClassVar[StageKind]
    STAGE_KIND_DPO: _ClassVar[StageKind]
    STAGE_KIND_DESCRIBE: _ClassVar[StageKind]
    STAGE_KIND_INFUSE: _ClassVar[StageKind]
    STAGE_KIND_SFT: _ClassVar[StageKind]
    STAGE_KIND_EVALUATE: _ClassVar[StageKind]

class Sharding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHARDING_UNSPECIFIED: _ClassVar[Sharding]
    SHARDING_NONE: _ClassVar[Sharding]
    SHARDING_FULL: _ClassVar[Sharding]

class DpoObjective(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DPO_OBJECTIVE_UNSPECIFIED: _ClassVar[DpoObjective]
    DPO_OBJECTIVE_REGULARISED: _ClassVar[DpoObjective]
    DPO_OBJECTIVE_CHOSEN_ONLY: _ClassVar[DpoObjective]
    DPO_OBJECTIVE_SWAPPED: _ClassVar[DpoObjective]
START_POINT_UNSPECIFIED: StartPoint
START_POINT_BASE: StartPoint
START_POINT_ALIAS: StartPoint
START_POINT_CHECKPOINT: StartPoint
STAGE_KIND_UNSPECIFIED: StageKind
STAGE_KIND_PREFER: StageKind
STAGE_KIND_DPO: StageKind
STAGE_KIND_DESCRIBE: StageKind
STAGE_KIND_INFUSE: StageKind
STAGE_KIND_SFT: StageKind
STAGE_KIND_EVALUATE: StageKind
SHARDING_UNSPECIFIED: Sharding
SHARDING_NONE: Sharding
SHARDING_FULL: Sharding
DPO_OBJECTIVE_UNSPECIFIED: DpoObjective
DPO_OBJECTIVE_REGULARISED: DpoObjective
DPO_OBJECTIVE_CHOSEN_ONLY: DpoObjective
DPO_OBJECTIVE_SWAPPED: DpoObjective

class Recipe(_message.Message):
    __slots__ = ("preset", "seed", "model", "prompts", "prefer", "dpo", "describe", "infuse", "sft", "evaluate", "speed", "retry", "start_from", "gate")
    PRESET_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    PREFER_FIELD_NUMBER: _ClassVar[int]
    DPO_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_FIELD_NUMBER: _ClassVar[int]
    INFUSE_FIELD_NUMBER: _ClassVar[int]
    SFT_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    START_FROM_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    preset: str
    seed: int
    model: ModelSpec
    prompts: PromptSet
    prefer: PreferConfig
    dpo: DpoConfig
    describe: DescribeConfig
    infuse: InfuseConfig
    sft: SftConfig
    evaluate: EvaluateConfig
    speed: SpeedConfig
    retry: RetryConfig
    start_from: StartFrom
    gate: GateConfig
    def __init__(self, preset: _Optional[str] = ..., seed: _Optional[int] = ..., model: _Optional[_Union[ModelSpec, _Mapping]] = ..., prompts: _Optional[_Union[PromptSet, _Mapping]] = ..., prefer: _Optional[_Union[PreferConfig, _Mapping]] = ..., dpo: _Optional[_Union[DpoConfig, _Mapping]] = ..., describe: _Optional[_Union[DescribeConfig, _Mapping]] = ..., infuse: _Optional[_Union[InfuseConfig, _Mapping]] = ..., sft: _Optional[_Union[SftConfig, _Mapping]] = ..., evaluate: _Optional[_Union[EvaluateConfig, _Mapping]] = ..., speed: _Optional[_Union[SpeedConfig, _Mapping]] = ..., retry: _Optional[_Union[RetryConfig, _Mapping]] = ..., start_from: _Optional[_Union[StartFrom, _Mapping]] = ..., gate: _Optional[_Union[GateConfig, _Mapping]] = ...) -> None: ...

class RetryConfig(_message.Message):
    __slots__ = ("max_attempts", "backoff_seconds")
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_attempts: int
    backoff_seconds: float
    def __init__(self, max_attempts: _Optional[int] = ..., backoff_seconds: _Optional[float] = ...) -> None: ...

class StartFrom(_message.Message):
    __slots__ = ("point", "alias", "checkpoint_id", "adapter_sha256")
    POINT_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SHA256_FIELD_NUMBER: _ClassVar[int]
    point: StartPoint
    alias: str
    checkpoint_id: str
    adapter_sha256: str
    def __init__(self, point: _Optional[_Union[StartPoint, str]] = ..., alias: _Optional[str] = ..., checkpoint_id: _Optional[str] = ..., adapter_sha256: _Optional[str] = ...) -> None: ...

class GateConfig(_message.Message):
    __slots__ = ("alias", "max_drop", "min_mean_gain", "require_approval")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    MAX_DROP_FIELD_NUMBER: _ClassVar[int]
    MIN_MEAN_GAIN_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_APPROVAL_FIELD_NUMBER: _ClassVar[int]
    alias: str
    max_drop: float
    min_mean_gain: float
    require_approval: bool
    def __init__(self, alias: _Optional[str] = ..., max_drop: _Optional[float] = ..., min_mean_gain: _Optional[float] = ..., require_approval: _Optional[bool] = ...) -> None: ...

class ModelSpec(_message.Message):
    __slots__ = ("path", "digest", "architecture", "template_hash")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_HASH_FIELD_NUMBER: _ClassVar[int]
    path: str
    digest: str
    architecture: str
    template_hash: str
    def __init__(self, path: _Optional[str] = ..., digest: _Optional[str] = ..., architecture: _Optional[str] = ..., template_hash: _Optional[str] = ...) -> None: ...

class PromptSet(_message.Message):
    __slots__ = ("name", "version", "digest", "step_by_step", "plain", "misleading", "describe_and_respond")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    STEP_BY_STEP_FIELD_NUMBER: _ClassVar[int]
    PLAIN_FIELD_NUMBER: _ClassVar[int]
    MISLEADING_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_AND_RESPOND_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    digest: str
    step_by_step: str
    plain: _containers.RepeatedScalarFieldContainer[str]
    misleading: _containers.RepeatedScalarFieldContainer[str]
    describe_and_respond: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., digest: _Optional[str] = ..., step_by_step: _Optional[str] = ..., plain: _Optional[_Iterable[str]] = ..., misleading: _Optional[_Iterable[str]] = ..., describe_and_respond: _Optional[str] = ...) -> None: ...

class GenerationConfig(_message.Message):
    __slots__ = ("temperature", "top_p", "max_new_tokens", "share_image_cache")
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    MAX_NEW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SHARE_IMAGE_CACHE_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    max_new_tokens: int
    share_image_cache: bool
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., max_new_tokens: _Optional[int] = ..., share_image_cache: _Optional[bool] = ...) -> None: ...

class Corruption(_message.Message):
    __slots__ = ("name", "weight", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    weight: float
    parameters: _containers.ScalarMap[str, float]
    def __init__(self, name: _Optional[str] = ..., weight: _Optional[float] = ..., parameters: _Optional[_Mapping[str, float]] = ...) -> None: ...

class PreferConfig(_message.Message):
    __slots__ = ("max_images", "generation", "corrupted_probability", "corruptions", "max_skipped_fraction", "max_batch_tokens", "show_clean_image")
    MAX_IMAGES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CORRUPTED_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CORRUPTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_SKIPPED_FRACTION_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SHOW_CLEAN_IMAGE_FIELD_NUMBER: _ClassVar[int]
    max_images: int
    generation: GenerationConfig
    corrupted_probability: float
    corruptions: _containers.RepeatedCompositeFieldContainer[Corruption]
    max_skipped_fraction: float
    max_batch_tokens: int
    show_clean_image: bool
    def __init__(self, max_images: _Optional[int] = ..., generation: _Optional[_Union[GenerationConfig, _Mapping]] = ..., corrupted_probability: _Optional[float] = ..., corruptions: _Optional[_Iterable[_Union[Corruption, _Mapping]]] = ..., max_skipped_fraction: _Optional[float] = ..., max_batch_tokens: _Optional[int] = ..., show_clean_image: _Optional[bool] = ...) -> None: ...

class LoraConfig(_message.Message):
    __slots__ = ("rank", "alpha", "dropout", "target_modules")
    RANK_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    TARGET_MODULES_FIELD_NUMBER: _ClassVar[int]
    rank: int
    alpha: float
    dropout: float
    target_modules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rank: _Optional[int] = ..., alpha: _Optional[float] = ..., dropout: _Optional[float] = ..., target_modules: _Optional[_Iterable[str]] = ...) -> None: ...

class OptimizerConfig(_message.Message):
    __slots__ = ("learning_rate", "warmup_ratio", "weight_decay", "max_grad_norm", "batch_size", "epochs", "max_micro_batch_tokens", "checkpoint_every_steps", "sharding")
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    WARMUP_RATIO_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    MAX_GRAD_NORM_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    MAX_MICRO_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    SHARDING_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    warmup_ratio: float
    weight_decay: float
    max_grad_norm: float
    batch_size: int
    epochs: int
    max_micro_batch_tokens: int
    checkpoint_every_steps: int
    sharding: Sharding
    def __init__(self, learning_rate: _Optional[float] = ..., warmup_ratio: _Optional[float] = ..., weight_decay: _Optional[float] = ..., max_grad_norm: _Optional[float] = ..., batch_size: _Optional[int] = ..., epochs: _Optional[int] = ..., max_micro_batch_tokens: _Optional[int] = ..., checkpoint_every_steps: _Optional[int] = ..., sharding: _Optional[_Union[Sharding, str]] = ...) -> None: ...

class DpoConfig(_message.Message):
    __slots__ = ("beta", "chosen_weight", "lora", "optimizer", "objective", "max_length", "score_strongest_token", "omit_image", "max_text_tokens", "max_skipped_fraction")
    BETA_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LORA_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SCORE_STRONGEST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OMIT_IMAGE_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_SKIPPED_FRACTION_FIELD_NUMBER: _ClassVar[int]
    beta: float
    chosen_weight: float
    lora: LoraConfig
    optimizer: OptimizerConfig
    objective: DpoObjective
    max_length: int
    score_strongest_token: bool
    omit_image: bool
    max_text_tokens: int
    max_skipped_fraction: float
    def __init__(self, beta: _Optional[float] = ..., chosen_weight: _Optional[float] = ..., lora: _Optional[_Union[LoraConfig, _Mapping]] = ..., optimizer: _Optional[_Union[OptimizerConfig, _Mapping]] = ..., objective: _Optional[_Union[DpoObjective, str]] = ..., max_length: _Optional[int] = ..., score_strongest_token: _Optional[bool] = ..., omit_image: _Optional[bool] = ..., max_text_tokens: _Optional[int] = ..., max_skipped_fraction: _Optional[float] = ...) -> None: ...

class DescribeConfig(_message.Message):
    __slots__ = ("max_rows", "generation", "max_skipped_fraction", "max_batch_tokens")
    MAX_ROWS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    MAX_SKIPPED_FRACTION_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    max_rows: int
    generation: GenerationConfig
    max_skipped_fraction: float
    max_batch_tokens: int
    def __init__(self, max_rows: _Optional[int] = ..., generation: _Optional[_Union[GenerationConfig, _Mapping]] = ..., max_skipped_fraction: _Optional[float] = ..., max_batch_tokens: _Optional[int] = ...) -> None: ...

class InfuseConfig(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: str
    def __init__(self, template: _Optional[str] = ...) -> None: ...

class SftConfig(_message.Message):
    __slots__ = ("optimizer", "max_length", "max_text_tokens", "max_skipped_fraction")
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_TEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_SKIPPED_FRACTION_FIELD_NUMBER: _ClassVar[int]
    optimizer: OptimizerConfig
    max_length: int
    max_text_tokens: int
    max_skipped_fraction: float
    def __init__(self, optimizer: _Optional[_Union[OptimizerConfig, _Mapping]] = ..., max_length: _Optional[int] = ..., max_text_tokens: _Optional[int] = ..., max_skipped_fraction: _Optional[float] = ...) -> None: ...

class EvaluateConfig(_message.Message):
    __slots__ = ("modes", "describe_generation", "answer_generation", "bootstrap_resamples", "sample_images", "max_batch_tokens", "max_items")
    MODES_FIELD_NUMBER: _ClassVar[int]
    DESCRIBE_GENERATION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_GENERATION_FIELD_NUMBER: _ClassVar[int]
    BOOTSTRAP_RESAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_IMAGES_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    modes: _containers.RepeatedScalarFieldContainer[str]
    describe_generation: GenerationConfig
    answer_generation: GenerationConfig
    bootstrap_resamples: int
    sample_images: int
    max_batch_tokens: int
    max_items: int
    def __init__(self, modes: _Optional[_Iterable[str]] = ..., describe_generation: _Optional[_Union[GenerationConfig, _Mapping]] = ..., answer_generation: _Optional[_Union[GenerationConfig, _Mapping]] = ..., bootstrap_resamples: _Optional[int] = ..., sample_images: _Optional[int] = ..., max_batch_tokens: _Optional[int] = ..., max_items: _Optional[int] = ...) -> None: ...

class SpeedConfig(_message.Message):
    __slots__ = ("share_prefix", "reuse_image_features", "response_only_head", "reuse_reference_scores", "gradient_checkpointing", "pack_rows", "attend_by_blocks")
    SHARE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    REUSE_IMAGE_FEATURES_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ONLY_HEAD_FIELD_NUMBER: _ClassVar[int]
    REUSE_REFERENCE_SCORES_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CHECKPOINTING_FIELD_NUMBER: _ClassVar[int]
    PACK_ROWS_FIELD_NUMBER: _ClassVar[int]
    ATTEND_BY_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    share_prefix: bool
    reuse_image_features: bool
    response_only_head: bool
    reuse_reference_scores: bool
    gradient_checkpointing: bool
    pack_rows: bool
    attend_by_blocks: bool
    def __init__(self, share_prefix: _Optional[bool] = ..., reuse_image_features: _Optional[bool] = ..., response_only_head: _Optional[bool] = ..., reuse_reference_scores: _Optional[bool] = ..., gradient_checkpointing: _Optional[bool] = ..., pack_rows: _Optional[bool] = ..., attend_by_blocks: _Optional[bool] = ...) -> None: ...
