"""Most memory that a stage holds at once, by part, from sizes alone.

A stage's peak is the largest of its phases. What stays through all of them: libraries, weights, adapters, kept image features. The
constants were measured on CPU (bench/stic_bench/memory_estimate.py, docs/explanation/performance.md); numbers have ``width`` bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stic_trainer.config.job import OptimizerConfig, SpeedConfig
from stic_trainer.preflight.lengths import ModelShape

LIBRARIES_CPU = 410 * 2**20
"""torch, transformers and peft loaded, before a model is."""
LIBRARIES_GPU = 500 * 2**20
"""CUDA's context and its workspaces on the GPU; not measured here."""
FEATURES_BOUND = 512 * 2**20
"""As modeling/vision.py keeps them."""
LOGITS_BOUND = 2**26
"""As modeling/scoring.py holds them."""
_ADAPTER_NUMBER = 4
"""Bytes: adapters are fp32 on every device."""

Parts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Device:
    width: int
    """Bytes of a number of the model: 4 on CPU, 2 on a GPU."""
    libraries: int


CPU = Device(width=4, libraries=LIBRARIES_CPU)
GPU = Device(width=2, libraries=LIBRARIES_GPU)


@dataclass(frozen=True)
class Ask:
    """A prompt that a text is generated for, tokens. ``head`` is read once for all prompts on an image where images are shared."""

    head: int
    rest: int


@dataclass(frozen=True)
class TrainingRow:
    """Tokens in a row of the batch, and how many of them are scored."""

    tokens: int
    scored: int
    lines: int = 1
    """Padded lines that the row takes: more than one where branches do not share their prefix."""


def lora_numbers(model: ModelShape, rank: int) -> int:
    return model.layers * rank * model.lora_inputs_and_outputs


def kv_bytes(model: ModelShape, tokens: int, width: int) -> int:
    """Keys and values of ``tokens`` in all layers."""
    return 2 * model.layers * model.kv_heads * model.head_size * tokens * width


def training_memory(
    model: ModelShape,
    device: Device,
    rows: Sequence[TrainingRow],
    *,
    rank: int,
    optimizer: OptimizerConfig,
    speed: SpeedConfig,
    images: int,
    num_rows: int,
) -> Parts:
    """Of a stage that trains the adapter on ``rows``, the longest that may meet in a step; images: tokens of each kept image."""
    width, numbers = device.width, lora_numbers(model, rank)
    longest = max(rows, key=lambda row: row.tokens)
    together = min(optimizer.batch_size, num_rows) * longest.lines
    lines = min(together, max(longest.lines, optimizer.max_micro_batch_tokens // longest.tokens))
    tokens = lines * longest.tokens
    scored = max(row.scored for row in rows) * lines // longest.lines
    layer = tokens * width * _layer_numbers(model, rank)
    if speed.gradient_checkpointing:
        kept, worked = model.layers * tokens * model.hidden * width, layer + tokens * width * _backward_numbers(model)
    else:
        kept, worked = model.layers * layer, tokens * width * _backward_numbers(model)
    if not (model.attends_by_blocks and speed.attend_by_blocks):
        worked += lines * longest.tokens**2 * (1 + width)
    held = min(scored, max(1, LOGITS_BOUND // model.vocabulary)) if speed.response_only_head else tokens
    logits = held * model.vocabulary * 4 * _LOGIT_COPIES
    parts = _standing(model, device, images) | {"adapters": numbers * _ADAPTER_NUMBER * 4}
    phases: list[Parts] = [
        {"vision": vision_bytes(model, width)},
        {"activations": kept, "logits": logits},
        {"activations": kept + worked},
    ]
    return parts | max(phases, key=lambda phase: sum(phase.values()))


def generation_memory(
    model: ModelShape,
    device: Device,
    asks: Sequence[Ask],
    *,
    new_tokens: int,
    max_batch_tokens: int,
    share: bool,
    images: int,
    rank: int = 0,
    adapters: int = 0,
    prompts_an_image: int = 1,
) -> Parts:
    """Of a stage that writes texts. ``asks``: a sample of the prompts; adapters: loaded at once, each of ``rank``."""
    width = device.width
    head, rest = max(ask.head for ask in asks), max(ask.rest for ask in asks)
    whole = head + rest + new_tokens
    rows = min(len(asks), max(1, max_batch_tokens // whole))
    room = -(-whole // _ROOM) * _ROOM
    cache = kv_bytes(model, rows * room, width)
    growth = cache // model.layers
    firsts = -(-rows // prompts_an_image) if share and model.shares_image else rows
    read = firsts * (head if share and model.shares_image else head + rest)
    longest = read // max(1, firsts)
    prefill = read * width * (4 * model.hidden + max(_ATTENTION_COPIES * model.heads * model.head_size, 4 * model.inner))
    mask = firsts * longest**2 * (1 + width)
    head_cache = kv_bytes(model, read, width)
    parts = _standing(model, device, images) | {"adapters": adapters * lora_numbers(model, rank) * _ADAPTER_NUMBER}
    phases: list[Parts] = [
        {"vision": vision_bytes(model, width)},
        {"kv_cache": head_cache, "activations": prefill + mask},
        {"kv_cache": cache + growth, "logits": rows * model.vocabulary * _SAMPLING_BYTES},
    ]
    return parts | max(phases, key=lambda phase: sum(phase.values()))


_ROOM = 64
"""Tokens by which modeling/kv_cache.py grows."""
_LOGIT_COPIES = 3
"""The logits, their exponentials and their gradient."""
_SAMPLING_BYTES = 40
"""A logit in fp32 and fp64, its probability and its noise."""
_ATTENTION_COPIES = 5


def vision_bytes(model: ModelShape, width: int) -> int:
    """One image in the vision tower: hidden states of all layers are returned, and one layer is at work."""
    return model.patches * width * ((model.tower_layers + 6) * model.tower_hidden + 2 * model.tower_inner)


def _standing(model: ModelShape, device: Device, images: int) -> Parts:
    features = min(images * model.hidden * device.width, FEATURES_BOUND)
    return {"libraries": device.libraries, "weights": model.parameters * device.width, "image_features": features}


def _layer_numbers(model: ModelShape, rank: int) -> int:
    """Numbers a token that one decoder layer keeps for the backward pass: what norms, projections, attention and MLP take in."""
    attention = model.heads * model.head_size
    return 4 * model.hidden + 5 * attention + 4 * model.inner + 7 * rank


def _backward_numbers(model: ModelShape) -> int:
    return 3 * model.hidden + 3 * model.inner
