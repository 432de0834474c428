"""From measured lengths and a recipe: rows that would be left out, and memory, stage by stage. Pure arithmetic, without torch.

Texts that the run will generate are not known yet. Every statement about rows is made twice: with empty texts, so that what is then
left out always is, and with texts of the longest allowed length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stic_trainer.config.job import Recipe, StageKind
from stic_trainer.preflight.lengths import Lengths
from stic_trainer.preflight.memory import Ask, Device, Parts, TrainingRow, generation_memory, training_memory


@dataclass(frozen=True)
class Spread:
    min: int
    median: int
    max: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread | None:
        ordered = sorted(values)
        return cls(ordered[0], ordered[len(ordered) // 2], ordered[-1]) if ordered else None


@dataclass(frozen=True)
class Limit:
    field: str
    tokens: int


@dataclass(frozen=True, kw_only=True)
class StageEstimate:
    """``rows`` of them the run has; the other numbers are of the sample."""

    kind: StageKind
    rows: int
    sampled: int
    shortest: Spread | None
    longest: Spread | None
    always_too_long: int = 0
    possibly_too_long: int = 0
    limit: Limit | None = None
    """What leaves out the first row that is always too long."""
    longest_excess: int = 0
    memory: Parts


@dataclass(frozen=True)
class _Row:
    """Tokens of a row of which ``image`` are the image's, and by how much it grows at most."""

    image: int
    text: int
    grows: int


def estimate(recipe: Recipe, lengths: Lengths, device: Device, *, starts_from_adapter: bool) -> list[StageEstimate]:
    """The stages that use the model, in order."""
    stages = [_prefer(recipe, lengths, device, starts_from_adapter), _dpo(recipe, lengths, device)] if lengths.images else []
    if lengths.rows:
        if any(row.describe for row in lengths.rows):
            stages.append(_describe(recipe, lengths, device))
        stages.append(_sft(recipe, lengths, device))
    return [*stages, _evaluate(recipe, lengths, device)] if lengths.questions else stages


def _prefer(recipe: Recipe, lengths: Lengths, device: Device, starts_from_adapter: bool) -> StageEstimate:
    config, generation = recipe.prefer, recipe.prefer.generation
    asked = [(item.image, text) for item in lengths.images for text in (item.chosen, item.rejected)]
    rows = [_Row(item.image, max(item.chosen, item.rejected), generation.max_new_tokens) for item in lengths.images]
    memory = generation_memory(
        lengths.model,
        device,
        _asks(lengths, asked),
        new_tokens=generation.max_new_tokens,
        max_batch_tokens=config.max_batch_tokens,
        share=generation.share_image_cache,
        images=_kept_images(recipe, [item.image for item in lengths.images], lengths.num_images),
        rank=recipe.dpo.lora.rank,
        adapters=int(starts_from_adapter),
        prompts_an_image=2 if config.show_clean_image else 2 / (1 + config.corrupted_probability),
    )
    return _stage(StageKind.PREFER, lengths.num_images, rows, _prompt_limits(lengths), memory, prompts=True)


def _dpo(recipe: Recipe, lengths: Lengths, device: Device) -> StageEstimate:
    config, new = recipe.dpo, recipe.prefer.generation.max_new_tokens
    rows = [_Row(0 if config.omit_image else item.image, item.stored + lengths.end, new) for item in lengths.images]
    shared = recipe.speed.share_prefix and lengths.model.shares_prefix
    training = [_pair_row(row, lengths.end, shared) for row in rows]
    memory = training_memory(
        lengths.model,
        device,
        training,
        rank=config.lora.rank,
        optimizer=config.optimizer,
        speed=recipe.speed,
        images=_kept_images(recipe, [row.image for row in rows], lengths.num_images),
        num_rows=lengths.num_images,
    )
    return _stage(StageKind.DPO, lengths.num_images, rows, _row_limits("dpo", config.max_length, config.max_text_tokens, lengths), memory)


def _pair_row(row: _Row, end: int, shared: bool) -> TrainingRow:
    response = row.grows + end
    prefix = row.image + row.text - end
    if shared:
        return TrainingRow(prefix + 2 * response, 2 * response, branch=response)
    return TrainingRow(prefix + response, 2 * response, lines=2)


def _describe(recipe: Recipe, lengths: Lengths, device: Device) -> StageEstimate:
    config, generation = recipe.describe, recipe.describe.generation
    pictured = [row for row in lengths.rows if row.describe]
    rows = [_Row(row.image, row.describe, generation.max_new_tokens) for row in pictured]
    count = round(lengths.num_rows * len(pictured) / len(lengths.rows))
    memory = generation_memory(
        lengths.model,
        device,
        _asks(lengths, [(row.image, row.text) for row in rows]),
        new_tokens=generation.max_new_tokens,
        max_batch_tokens=config.max_batch_tokens,
        share=generation.share_image_cache,
        images=_kept_images(recipe, [row.image for row in rows], count),
        rank=recipe.dpo.lora.rank,
        adapters=1,
    )
    return _stage(StageKind.DESCRIBE, count, rows, _prompt_limits(lengths), memory, prompts=True)


def _sft(recipe: Recipe, lengths: Lengths, device: Device) -> StageEstimate:
    config, new = recipe.sft, recipe.describe.generation.max_new_tokens
    rows = [_Row(row.image, row.text, new if row.describe else 0) for row in lengths.rows]
    training = [TrainingRow(row.image + row.text + row.grows, at.learned) for row, at in zip(rows, lengths.rows, strict=True)]
    memory = training_memory(
        lengths.model,
        device,
        training,
        rank=recipe.dpo.lora.rank,
        optimizer=config.optimizer,
        speed=recipe.speed,
        images=_kept_images(recipe, [row.image for row in rows], lengths.num_rows),
        num_rows=lengths.num_rows,
        dropout=recipe.dpo.lora.dropout > 0,
    )
    return _stage(StageKind.SFT, lengths.num_rows, rows, _row_limits("sft", config.max_length, config.max_text_tokens, lengths), memory)


def _evaluate(recipe: Recipe, lengths: Lengths, device: Device) -> StageEstimate:
    """Descriptions, then questions that hold one: the larger of the two counts."""
    config = recipe.evaluate
    described = config.describe_generation.max_new_tokens if "dar" in config.modes else 0
    rows = [_Row(item.image, item.text, described + config.answer_generation.max_new_tokens) for item in lengths.questions]
    asked = [(item.image, item.text + described) for item in lengths.questions]
    turns = [(asked, config.answer_generation)]
    if described:
        turns.append(([(item.image, lengths.describe_and_respond) for item in lengths.questions], config.describe_generation))
    memories = [
        generation_memory(
            lengths.model,
            device,
            _asks(lengths, prompts),
            new_tokens=generation.max_new_tokens,
            max_batch_tokens=config.max_batch_tokens,
            share=generation.share_image_cache,
            images=_kept_images(recipe, [item.image for item in lengths.questions], lengths.num_questions),
            rank=recipe.dpo.lora.rank,
            adapters=2,
        )
        for prompts, generation in turns
    ]
    memory = max(memories, key=lambda parts: sum(parts.values()))
    return _stage(StageKind.EVALUATE, lengths.num_questions, rows, _prompt_limits(lengths), memory, prompts=True)


def _asks(lengths: Lengths, prompts: Sequence[tuple[int, int]]) -> list[Ask]:
    """Prompts as (image tokens, other tokens)."""
    return [Ask(image + lengths.before_image, max(0, text - lengths.before_image)) for image, text in prompts]


def _kept_images(recipe: Recipe, images: Sequence[int], count: int) -> int:
    """Tokens of the images whose features are kept; of one where none are."""
    if not images:
        return 0
    return round(sum(images) / len(images) * count) if recipe.speed.reuse_image_features else max(images)


def _prompt_limits(lengths: Lengths) -> list[Limit]:
    """A prompt must leave the model a position to write at."""
    return [Limit("model", lengths.model.max_positions - 1)]


def _row_limits(stage: str, max_length: int, max_text_tokens: int, lengths: Lengths) -> list[Limit]:
    texts = [Limit(f"{stage}.max_text_tokens", max_text_tokens)] if max_text_tokens else []
    return [Limit("model", lengths.model.max_positions), Limit(f"{stage}.max_length", max_length), *texts]


def _stage(kind: StageKind, count: int, rows: list[_Row], limits: list[Limit], memory: Parts, *, prompts: bool = False) -> StageEstimate:
    """prompts: only what stands before the generated text must be within the limits."""
    always = [(row, limit) for row in rows if (limit := _excess(row, 0, limits))]
    possibly = sum(bool(_excess(row, 0 if prompts else row.grows, limits)) for row in rows)
    return StageEstimate(
        kind=kind,
        rows=count,
        sampled=len(rows),
        shortest=Spread.of([row.image + row.text for row in rows]),
        longest=Spread.of([row.image + row.text + row.grows for row in rows]),
        always_too_long=len(always),
        possibly_too_long=possibly,
        limit=always[0][1] if always else None,
        longest_excess=max((row.image + row.text for row, _ in always), default=0),
        memory=memory,
    )


def _excess(row: _Row, grown: int, limits: list[Limit]) -> Limit | None:
    """The first limit that the row is above, as stages/training.py judges it."""
    length = row.image + row.text + grown
    for limit in limits:
        if (length - row.image if limit.field.endswith("max_text_tokens") else length) > limit.tokens:
            return limit
    return None
