"""A job and its recipe, as recipe.proto and trainer.proto state them, in frozen dataclasses.

Every field is required. What a field may be stands in ``schema.json``; here stands what no field can be judged by alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from stic_trainer.config.schema import check_fields
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


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    temperature: float
    top_p: float
    max_new_tokens: int
    share_image_cache: bool


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
        require(
            bool(self.corruptions) or self.corrupted_probability == 0,
            "corruptions",
            list(self.corruptions),
            "at least one while corrupted_probability is above 0",
        )


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    rank: int
    alpha: float
    dropout: float
    target_modules: tuple[str, ...]


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


@dataclass(frozen=True, kw_only=True)
class DescribeConfig:
    max_rows: int
    generation: GenerationConfig
    max_skipped_fraction: float
    max_batch_tokens: int


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
        allowed = "plain, or plain and dar: every difference is taken against the base model in plain mode"
        require("plain" in self.modes, "modes", list(self.modes), allowed)


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
        job = decode(Job, fields)
        check_fields(job.recipe, at="recipe.")
        return job
    except DecodeError as error:
        raise StageError("CONFIG_INVALID", f"{error.field or 'job.json'} {error.reason}", error.field) from error
