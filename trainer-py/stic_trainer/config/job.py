"""A job and its recipe, as recipe.proto and trainer.proto state them, in frozen dataclasses.

Every field is required and every range is checked here; what a field means and its unit stand in the proto.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stic_trainer.decode import DecodeError, decode, require
from stic_trainer.errors import StageError
from stic_trainer.method.corruption import ParameterError, find_corruption


class StageKind(StrEnum):
    PREFER = "prefer"
    DPO = "dpo"
    DESCRIBE = "describe"
    INFUSE = "infuse"
    SFT = "sft"
    EVALUATE = "evaluate"


class ArtifactKind(StrEnum):
    BLOB = "ARTIFACT_KIND_BLOB"
    TREE = "ARTIFACT_KIND_TREE"


class DpoObjective(StrEnum):
    """What stage 1 minimises; values are the proto's names."""

    REGULARISED = "DPO_OBJECTIVE_REGULARISED"
    CHOSEN_ONLY = "DPO_OBJECTIVE_CHOSEN_ONLY"
    SWAPPED = "DPO_OBJECTIVE_SWAPPED"


class Sharding(StrEnum):
    """What of the model every process of a training holds; values are the proto's names."""

    NONE = "SHARDING_NONE"
    FULL = "SHARDING_FULL"


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    path: str
    digest: str
    architecture: str
    template_hash: str


@dataclass(frozen=True, kw_only=True)
class PromptSet:
    name: str
    version: int
    digest: str
    step_by_step: str
    plain: tuple[str, ...]
    misleading: tuple[str, ...]
    describe_and_respond: str

    def __post_init__(self) -> None:
        require(bool(self.step_by_step.strip()), "step_by_step", self.step_by_step, "a prompt that is not empty")
        require(bool(self.describe_and_respond.strip()), "describe_and_respond", self.describe_and_respond, "a prompt that is not empty")
        require(bool(self.plain) and all(text.strip() for text in self.plain), "plain", self.plain, "at least one prompt, none empty")
        require(
            bool(self.misleading) and all(text.strip() for text in self.misleading),
            "misleading",
            self.misleading,
            "at least one prompt, none empty",
        )


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    temperature: float
    top_p: float
    max_new_tokens: int
    share_image_cache: bool

    def __post_init__(self) -> None:
        require(0 <= self.temperature <= 10, "temperature", self.temperature, "0 (greedy) to 10")
        require(0 < self.top_p <= 1, "top_p", self.top_p, "above 0, up to 1 (off)")
        require(1 <= self.max_new_tokens <= 65_536, "max_new_tokens", self.max_new_tokens, "1 to 65536")


@dataclass(frozen=True, kw_only=True)
class Corruption:
    name: str
    weight: float
    parameters: Mapping[str, float]

    def __post_init__(self) -> None:
        try:
            find_corruption(self.name, self.parameters)
        except ParameterError as error:
            raise DecodeError(error.field, f"is {error.value!r}; allowed: {error.allowed}") from None
        require(self.weight > 0, "weight", self.weight, "above 0")


@dataclass(frozen=True, kw_only=True)
class PreferConfig:
    max_images: int
    generation: GenerationConfig
    corrupted_probability: float
    corruptions: tuple[Corruption, ...]
    max_skipped_fraction: float
    max_batch_tokens: int
    show_clean_image: bool

    def __post_init__(self) -> None:
        require(self.max_images >= 0, "max_images", self.max_images, "0 (all) or more")
        require(0 <= self.corrupted_probability <= 1, "corrupted_probability", self.corrupted_probability, "0 to 1")
        require(
            bool(self.corruptions) or self.corrupted_probability == 0,
            "corruptions",
            list(self.corruptions),
            "at least one while corrupted_probability is above 0",
        )
        _require_fraction(self.max_skipped_fraction)
        _require_batch(self.max_batch_tokens)


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    rank: int
    alpha: float
    dropout: float
    target_modules: tuple[str, ...]

    def __post_init__(self) -> None:
        require(1 <= self.rank <= 4096, "rank", self.rank, "1 to 4096")
        require(self.alpha > 0, "alpha", self.alpha, "above 0")
        require(0 <= self.dropout < 1, "dropout", self.dropout, "0 to below 1")
        require(bool(self.target_modules), "target_modules", self.target_modules, "at least one module name")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    learning_rate: float
    warmup_ratio: float
    weight_decay: float
    max_grad_norm: float
    batch_size: int
    epochs: int
    max_micro_batch_tokens: int
    checkpoint_every_steps: int
    sharding: Sharding

    def __post_init__(self) -> None:
        require(0 <= self.learning_rate <= 1, "learning_rate", self.learning_rate, "0 to 1")
        require(0 <= self.warmup_ratio <= 1, "warmup_ratio", self.warmup_ratio, "0 to 1")
        require(self.weight_decay >= 0, "weight_decay", self.weight_decay, "0 or more")
        require(self.max_grad_norm >= 0, "max_grad_norm", self.max_grad_norm, "0 (off) or more")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "1 or more")
        require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        require(self.max_micro_batch_tokens >= 1, "max_micro_batch_tokens", self.max_micro_batch_tokens, "1 or more")
        require(self.checkpoint_every_steps >= 1, "checkpoint_every_steps", self.checkpoint_every_steps, "1 or more")


@dataclass(frozen=True, kw_only=True)
class DpoConfig:
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

    def __post_init__(self) -> None:
        require(self.beta > 0, "beta", self.beta, "above 0")
        require(self.chosen_weight >= 0, "chosen_weight", self.chosen_weight, "0 or more")
        _require_lengths(self.max_length, self.max_text_tokens)
        _require_fraction(self.max_skipped_fraction)


@dataclass(frozen=True, kw_only=True)
class DescribeConfig:
    max_rows: int
    generation: GenerationConfig
    max_skipped_fraction: float
    max_batch_tokens: int

    def __post_init__(self) -> None:
        require(self.max_rows >= 0, "max_rows", self.max_rows, "0 (all) or more")
        _require_fraction(self.max_skipped_fraction)
        _require_batch(self.max_batch_tokens)


@dataclass(frozen=True, kw_only=True)
class InfuseConfig:
    template: str

    def __post_init__(self) -> None:
        for placeholder in ("{description}", "{question}"):
            require(self.template.count(placeholder) == 1, "template", self.template, f"a text that holds {placeholder} once")


@dataclass(frozen=True, kw_only=True)
class SftConfig:
    optimizer: OptimizerConfig
    max_length: int
    max_text_tokens: int
    max_skipped_fraction: float

    def __post_init__(self) -> None:
        _require_lengths(self.max_length, self.max_text_tokens)
        _require_fraction(self.max_skipped_fraction)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    modes: tuple[str, ...]
    describe_generation: GenerationConfig
    answer_generation: GenerationConfig
    bootstrap_resamples: int
    sample_images: int
    max_batch_tokens: int
    max_items: int

    def __post_init__(self) -> None:
        allowed = bool(self.modes) and set(self.modes) <= {"plain", "dar"} and len(set(self.modes)) == len(self.modes)
        require(allowed, "modes", list(self.modes), "plain, dar, each at most once, at least one")
        require(1 <= self.bootstrap_resamples <= 1_000_000, "bootstrap_resamples", self.bootstrap_resamples, "1 to 1000000")
        require(self.sample_images >= 0, "sample_images", self.sample_images, "0 or more")
        require(self.max_items >= 0, "max_items", self.max_items, "0 (all) or more")
        _require_batch(self.max_batch_tokens)


@dataclass(frozen=True, kw_only=True)
class SpeedConfig:
    share_prefix: bool
    reuse_image_features: bool
    response_only_head: bool
    reuse_reference_scores: bool
    gradient_checkpointing: bool
    pack_rows: bool
    attend_by_blocks: bool


@dataclass(frozen=True, kw_only=True)
class Recipe:
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

    def __post_init__(self) -> None:
        require(0 <= self.seed < 2**32, "seed", self.seed, "0 to 4294967295")


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """A blob or tree the stage reads. ``name`` is the benchmark's for role "benchmark", else empty."""

    role: str
    name: str
    sha256: str
    kind: ArtifactKind
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    job_id: str
    run_id: str
    kind: StageKind
    recipe: Recipe
    inputs: tuple[JobInput, ...]

    def __post_init__(self) -> None:
        require(bool(self.recipe.model.path), "recipe.model.path", self.recipe.model.path, "a model folder or embedded:world")

    def input(self, role: str) -> JobInput:
        """The one input of ``role``; StageError when there is none or more than one."""
        found = self.inputs_of(role)
        if len(found) != 1:
            given = ", ".join(sorted({item.role for item in self.inputs})) or "none"
            raise StageError("CONFIG_INVALID", f"stage {self.kind} needs one input {role!r}, found {len(found)} (given: {given})", "inputs")
        return found[0]

    def optional_input(self, role: str) -> JobInput | None:
        """The one input of ``role``, if there is one; StageError when there are more."""
        return self.input(role) if self.inputs_of(role) else None

    def inputs_of(self, role: str) -> tuple[JobInput, ...]:
        return tuple(item for item in self.inputs if item.role == role)


def load_job(folder: Path) -> Job:
    """The job of a job folder. StageError CONFIG_INVALID names the field, its value and what is allowed."""
    path = folder / "job.json"
    try:
        fields = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise StageError("CONFIG_INVALID", f"not JSON: {error}", str(path)) from error
    return parse_job(fields)


def parse_job(fields: object) -> Job:
    """A job from its proto JSON (proto field names). ``resume_from_job_id`` belongs to the sidecar and is left out."""
    if isinstance(fields, dict):
        fields = {key: value for key, value in fields.items() if key != "resume_from_job_id"}
        kind = fields.get("kind")
        if isinstance(kind, str):
            fields["kind"] = kind.removeprefix("STAGE_KIND_").lower()
    try:
        return decode(Job, fields)
    except DecodeError as error:
        raise StageError("CONFIG_INVALID", f"{error.field or 'job.json'} {error.reason}", error.field) from error


def _require_fraction(value: float) -> None:
    require(0 <= value <= 1, "max_skipped_fraction", value, "0 to 1")


def _require_lengths(max_length: int, max_text_tokens: int) -> None:
    require(max_length >= 2, "max_length", max_length, "2 or more")
    require(max_text_tokens >= 0, "max_text_tokens", max_text_tokens, "0 (off) or more")


def _require_batch(value: int) -> None:
    require(value >= 1, "max_batch_tokens", value, "1 or more")
