"""Trains the base model from scratch: first its eyes on the scene graph, then language on frozen eyes.

Eyes: the vision tower with linear heads (dropped afterwards) learns what lies in each cell. Language: the tower's features
of every training scene are computed once, and projector and language model learn the rows of rows.py from them. The number
of steps, not the clock, decides when it ends, so that a seed and a step count name the weights.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

from stic_trainer.world import seeds
from stic_trainer.world.corrupt import blur, spoil
from stic_trainer.world.model import build_model, build_processor, save_model
from stic_trainer.world.prompts import WorldPrompts, read_prompts
from stic_trainer.world.rows import Row, sample_row
from stic_trainer.world.scene import BACKGROUNDS, CELLS, COLORS, SHAPES, SIZES, Scene, render, sample_scene
from stic_trainer.world.tokenizer import IMAGE_TOKEN, build_tokenizer, token_id

_NUM_SCENES = 16_000
_NUM_SPOILED = 2_000
_EYES_BATCH = 128
_EYES_LR_PEAK = 1e-3
_MICRO_ROWS = 16
_MICRO_BATCHES = 3
"""A step is one micro-batch of short rows, one of middling and one of long ones: mixed, with little padding."""
_LR_PEAK = 2e-3
_REPORT_EVERY_STEPS = 100
_SAVE_EVERY_STEPS = 500
_IGNORED = -100


def train_base(out: Path, *, seed: int, eyes_steps: int, steps: int, num_threads: int) -> None:
    """Trains and writes the model folder ``out``; prints progress. ``seed`` must be of the base's range."""
    seeds.require(seed, "base")
    torch.set_num_threads(num_threads)
    prompts = read_prompts()
    tokenizer = build_tokenizer()
    processor = build_processor(tokenizer)
    model = build_model(tokenizer, seed=seed)
    started = time.monotonic()
    scenes, pixels, blurred = _render_scenes(seed, processor)
    _say(started, f"rendered {len(scenes)} scenes")
    _train_eyes(model, scenes, pixels, seed=seed, steps=eyes_steps, started=started)
    spoiled = _spoiled_pixels(seed, processor)
    sights = Sights(_features(model, pixels), _features(model, blurred), _features(model, spoiled))
    _train_language(model, processor, out, prompts, scenes, sights, seed=seed, steps=steps, started=started)
    size = save_model(model, processor, out)
    _say(started, f"wrote {out} ({size / 1e6:.2f} MB)")


def _say(started: float, text: str) -> None:
    print(f"[{time.monotonic() - started:7.1f} s] {text}", flush=True)


def _render_scenes(seed: int, processor: LlavaProcessor) -> tuple[list[Scene], Tensor, Tensor]:
    """Scenes and their pixel values, clean and blurred, (scenes, 3, 96, 96) each."""
    scenes, pictures = [], []
    for index in range(_NUM_SCENES):
        rng = seeds.stream(seed, "base", index)
        scenes.append(sample_scene(rng))
        pictures.append(render(scenes[-1], rng))
    return scenes, _pixels(pictures, processor), _pixels([blur(picture) for picture in pictures], processor)


def _spoiled_pixels(seed: int, processor: LlavaProcessor) -> Tensor:
    """Pictures that show little or nothing of their scene (scenes, 3, 96, 96)."""
    pictures = []
    for index in range(_NUM_SPOILED):
        rng = seeds.stream(seed, "spoiled", index)
        pictures.append(spoil(render(sample_scene(rng), rng), rng))
    return _pixels(pictures, processor)


def _pixels(pictures: list[Image.Image], processor: LlavaProcessor) -> Tensor:
    """The pictures as the model's own image processor gives them, in half precision to save memory."""
    chunks = []
    for start in range(0, len(pictures), 500):
        values = processor.image_processor(images=pictures[start : start + 500], return_tensors="pt")["pixel_values"]
        chunks.append(values.half())
    return torch.cat(chunks)


# Eyes


def _cell_labels(scenes: list[Scene]) -> Tensor:
    """(scenes, cells, 3) of size, color and shape; 0 for an empty cell, else 1 + the index of the value."""
    labels = np.zeros((len(scenes), len(CELLS), 3), dtype=np.int64)
    colors = tuple(COLORS)
    for row, scene in zip(labels, scenes, strict=True):
        for thing in scene.things:
            row[thing.cell] = (
                1 + SIZES.index(thing.size),
                1 + colors.index(thing.color),
                1 + SHAPES.index(thing.shape),
            )
    return torch.from_numpy(labels)


def _look(model: LlavaForConditionalGeneration, pixels: Tensor) -> Tensor:
    """What the projector will get: the tower's last layer without the class token, (pictures, cells, width)."""
    states = model.model.vision_tower(pixels.float(), output_hidden_states=True).hidden_states
    features: Tensor = states[-1][:, 1:]
    return features


def _train_eyes(
    model: LlavaForConditionalGeneration, scenes: list[Scene], pixels: Tensor, *, seed: int, steps: int, started: float
) -> None:
    cells = _cell_labels(scenes)
    places = torch.tensor([tuple(BACKGROUNDS).index(scene.background) for scene in scenes])
    widths = (1 + len(SIZES), 1 + len(COLORS), 1 + len(SHAPES), len(BACKGROUNDS))
    torch.manual_seed(seed)
    config: Any = model.config
    head = nn.Linear(config.vision_config.hidden_size, sum(widths))
    parameters = [*model.model.vision_tower.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=_EYES_LR_PEAK, betas=(0.9, 0.98), weight_decay=0.05)
    picks = torch.Generator().manual_seed(seed)
    for step in range(steps):
        chosen = torch.randint(len(scenes), (_EYES_BATCH,), generator=picks)
        _set_lr(optimizer, _EYES_LR_PEAK, step, steps)
        size, color, shape, place = torch.split(head(_look(model, pixels[chosen])), list(widths), dim=-1)
        truth = cells[chosen].flatten(0, 1)
        loss = functional.cross_entropy(size.flatten(0, 1), truth[:, 0])
        loss = loss + functional.cross_entropy(color.flatten(0, 1), truth[:, 1])
        loss = loss + functional.cross_entropy(shape.flatten(0, 1), truth[:, 2])
        loss = loss + 0.2 * functional.cross_entropy(place.mean(1), places[chosen])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % _REPORT_EVERY_STEPS == 0 or step + 1 == steps:
            taken = truth[:, 2] > 0
            right = [(part.flatten(0, 1).argmax(-1) == truth[:, k])[taken] for k, part in enumerate((size, color, shape))]
            shares = " ".join(f"{name} {hit.float().mean():.3f}" for name, hit in zip(("size", "color", "shape"), right, strict=True))
            _say(started, f"eyes step {step + 1}/{steps} loss {loss.item():.3f} right on objects: {shares}")


@torch.no_grad()
def _features(model: LlavaForConditionalGeneration, pixels: Tensor) -> Tensor:
    return torch.cat([_look(model, chunk) for chunk in torch.split(pixels, 500)])


def _set_lr(optimizer: torch.optim.Optimizer, peak: float, step: int, steps: int) -> None:
    """Linear warm-up over 3 % (at least 50 steps), then a cosine to 2 % of the peak."""
    warm = max(50, steps * 3 // 100)
    done = max(0.0, (step - warm) / max(1, steps - warm))
    scale = (step + 1) / warm if step < warm else 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = peak * scale


# Language


@dataclass(frozen=True)
class Sights:
    """The tower's features of the training pictures, (pictures, cells, width); clean and blurred are in scene order."""

    clean: Tensor
    blurred: Tensor
    spoiled: Tensor

    def of(self, row: Row, index: int, rng: random.Random) -> Tensor | None:
        """What the image tokens of ``row``, about scene ``index``, show; None without image tokens."""
        if row.picture == "own":
            return self.clean[index]
        if row.picture == "blurred":
            return self.blurred[index]
        if row.picture == "other":
            return self.clean[rng.randrange(len(self.clean))]
        return self.spoiled[rng.randrange(len(self.spoiled))] if row.picture == "spoiled" else None


@dataclass
class _Batch:
    ids: Tensor
    """(rows, tokens), right-padded."""
    labels: Tensor
    """(rows, tokens); the token itself inside answers, -100 elsewhere."""
    features: Tensor
    """(rows with an image, cells, width) in row order."""
    sorts: list[str]


class RowEncoder:
    """Rows to token ids, in exactly the form of the chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._image = [token_id(tokenizer, IMAGE_TOKEN)] * len(CELLS)
        self._user = token_id(tokenizer, "<user>")
        self._assistant = token_id(tokenizer, "<assistant>")
        self._cache: dict[str, list[int]] = {}

    def encode(self, row: Row) -> tuple[list[int], list[int]]:
        ids = [self._tokenizer.bos_token_id]
        labels = [_IGNORED]
        for turn, (question, reply) in enumerate(row.turns):
            image = self._image if turn == 0 and row.picture != "none" else []
            prompt = [self._user, *image, *self._words(question), self._assistant]
            told = [*self._words(reply), self._tokenizer.eos_token_id]
            ids += prompt + told
            labels += [_IGNORED] * len(prompt) + told
        return ids, labels

    def _words(self, text: str) -> list[int]:
        if text not in self._cache:
            if len(self._cache) > 200_000:
                self._cache.clear()
            self._cache[text] = self._tokenizer.encode(text, add_special_tokens=False)
        return self._cache[text]


def _batches(
    tokenizer: PreTrainedTokenizerFast,
    prompts: WorldPrompts,
    scenes: list[Scene],
    sights: Sights,
    seed: int,
) -> Iterator[list[_Batch]]:
    """Endless steps, each a list of micro-batches of rows of similar length, in an order that only the seed decides."""
    encoder = RowEncoder(tokenizer)
    rng = random.Random(f"stic-world/{seed}/rows")
    while True:
        made: list[tuple[list[int], list[int], Tensor | None, str]] = []
        for _ in range(8 * _MICRO_BATCHES * _MICRO_ROWS):
            index = rng.randrange(len(scenes))
            row = sample_row(scenes[index], prompts, rng)
            ids, labels = encoder.encode(row)
            made.append((ids, labels, sights.of(row, index, rng), row.sort))
        made.sort(key=lambda item: len(item[0]))
        groups = [made[start : start + _MICRO_ROWS] for start in range(0, len(made), _MICRO_ROWS)]
        lengths = [groups[start : start + 8] for start in range(0, len(groups), 8)]
        for same_length in lengths:
            rng.shuffle(same_length)
        for step in zip(*lengths, strict=True):
            yield [_collate(group, tokenizer.pad_token_id) for group in step]


def _collate(group: list[tuple[list[int], list[int], Tensor | None, str]], pad: int) -> _Batch:
    longest = max(len(ids) for ids, *_ in group)
    ids = torch.full((len(group), longest), pad)
    labels = torch.full((len(group), longest), _IGNORED)
    for row, (tokens, targets, *_) in enumerate(group):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        labels[row, : len(targets)] = torch.tensor(targets)
    seen = [features for _, _, features, _ in group if features is not None]
    return _Batch(ids, labels, torch.stack(seen), [sort for *_, sort in group])


def _token_losses(model: LlavaForConditionalGeneration, batch: _Batch) -> tuple[Tensor, Tensor]:
    """Loss of each answer token, and the row it belongs to."""
    inner: Any = model.model
    embeds = inner.language_model.get_input_embeddings()(batch.ids)
    images = inner.multi_modal_projector(batch.features)
    mask = (batch.ids == model.config.image_token_id).unsqueeze(-1)
    embeds = embeds.masked_scatter(mask, images.to(embeds.dtype))
    # Right padding under a causal mask needs no attention mask: no real token can see a pad.
    states = inner.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, :-1]
    wanted = batch.labels[:, 1:]
    answers = wanted != _IGNORED
    losses = functional.cross_entropy(model.lm_head(states[answers]).float(), wanted[answers], reduction="none")
    return losses, answers.nonzero()[:, 0]


def _train_language(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    out: Path,
    prompts: WorldPrompts,
    scenes: list[Scene],
    sights: Sights,
    *,
    seed: int,
    steps: int,
    started: float,
) -> None:
    inner: Any = model.model
    # The output layer is the embedding, which belongs to the language model.
    parameters = [*inner.multi_modal_projector.parameters(), *inner.language_model.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=_LR_PEAK, betas=(0.9, 0.98), weight_decay=0.01)
    batches = _batches(processor.tokenizer, prompts, scenes, sights, seed)
    sums: dict[str, list[float]] = {}
    for step in range(steps):
        micro_batches = next(batches)
        _set_lr(optimizer, _LR_PEAK, step, steps)
        optimizer.zero_grad(set_to_none=True)
        tokens = sum(int((batch.labels[:, 1:] != _IGNORED).sum()) for batch in micro_batches)
        for batch in micro_batches:
            losses, rows = _token_losses(model, batch)
            torch.autograd.backward(losses.sum() / tokens)
            _tally(sums, losses.detach(), rows, batch.sorts)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % _SAVE_EVERY_STEPS == 0:
            save_model(model, processor, out)
        if (step + 1) % _REPORT_EVERY_STEPS == 0 or step + 1 == steps:
            means = " ".join(f"{sort} {total / count:.3f}" for sort, (total, count) in sorted(sums.items()))
            _say(started, f"language step {step + 1}/{steps} loss per answer token: {means}")
            sums.clear()


def _tally(sums: dict[str, list[float]], losses: Tensor, rows: Tensor, sorts: list[str]) -> None:
    by_row = torch.zeros(len(sorts)).index_add_(0, rows, losses).tolist()
    counts = torch.bincount(rows, minlength=len(sorts)).tolist()
    for sort, total, count in zip(sorts, by_row, counts, strict=True):
        entry = sums.setdefault(sort, [0.0, 0.0])
        entry[0] += total
        entry[1] += count
