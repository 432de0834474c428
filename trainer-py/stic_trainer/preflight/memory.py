"""Most memory that a stage holds at once, by part, from sizes alone.

A stage's peak is the largest of its phases. What stays through all of them: libraries, weights, adapters, kept image features. The
constants were measured on CPU (bench/stic_bench/memory_estimate.py, docs/explanation/performance.md); numbers have ``width`` bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
LONG_ROW = 512
"""As modeling/blocks.py has it: tokens from which on attention goes block by block."""
MAPPED_BYTES = 32 * 2**20
"""glibc maps larger blocks by themselves and gives them back when they are freed."""
_CHECKPOINTED_HEAP, _KEPT_HEAP, _GENERATION_HEAP = 6, 2, 2
"""Most bytes of heap that a byte of tensors takes while activations are computed again, while they are kept, and in generation.

Bounds above what was measured (2.0 to 5.5, 1.4, 0.9 to 1.8), not derived: glibc 2.36 cannot give a freed aligned block to a request
of the same size, so freed blocks stay unused. MALLOC_MMAP_THRESHOLD_=1048576 maps tensors by themselves; a step then takes 1.2 to 1.5
times the CPU time (docs/explanation/performance.md), so it is the user's choice and not set for every worker.
"""
_ADAPTER_NUMBER = 4
"""Bytes: adapters are fp32 on every device."""

Parts = dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Device:
    width: int
    """Bytes of a number of the model: 4 on CPU, 2 on a GPU."""
    libraries: int
    drawn: int
    """Bytes of a number that dropout has drawn."""
    reuses_heap: bool = True
    """Whether tensors of up to ``MAPPED_BYTES`` lie on the C library's heap; without it each is mapped by itself."""


CPU = Device(width=4, libraries=LIBRARIES_CPU, drawn=4)
CPU_MAPPED = replace(CPU, reuses_heap=False)
GPU = Device(width=2, libraries=LIBRARIES_GPU, drawn=1, reuses_heap=False)


def maps_tensors(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment maps tensors of a mebibyte or more by themselves."""
    threshold = environment.get("MALLOC_MMAP_THRESHOLD_", "")
    return threshold.isdigit() and int(threshold) <= 2**20


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
    branch: int = 0
    """Tokens of each of two branches behind a shared prefix; 0 where there is none."""


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
    dropout: bool = False,
) -> Parts:
    """Of a stage that trains the adapter on ``rows``, the longest that may meet in a step; images: tokens of each kept image."""
    width, numbers = device.width, lora_numbers(model, rank)
    longest = max(rows, key=lambda row: row.tokens)
    together = min(optimizer.batch_size, num_rows) * longest.lines
    lines = min(together, max(longest.lines, optimizer.max_micro_batch_tokens // longest.tokens))
    tokens = lines * longest.tokens
    hidden, inner = tokens * model.hidden * width, tokens * model.inner * width
    by_blocks = model.attends_by_blocks and speed.attend_by_blocks and longest.tokens >= LONG_ROW
    layer = layer_bytes(model, device, tokens, rank, dropout) + lines * attention_bytes(model, width, longest, by_blocks)
    # In the MLP's backward pass two gradients of its size meet; with dropout more of the hidden size do, of which each has its own.
    worked = max(hidden + 2 * inner, 4 * hidden + inner) if dropout else hidden + 2 * inner
    if speed.gradient_checkpointing:
        kept, worked = model.layers * hidden, worked + layer - hidden
    else:
        kept, worked = model.layers * layer, max(worked, 5 * hidden)
    scored = max(row.scored for row in rows) * lines // longest.lines
    held = min(scored, max(1, LOGITS_BOUND // model.vocabulary)) if speed.response_only_head else tokens
    steps = -(-num_rows // optimizer.batch_size) * optimizer.epochs
    moments = 2 * numbers * _ADAPTER_NUMBER * (steps > 1)
    saved = 3 if steps >= optimizer.checkpoint_every_steps else 1
    adapter = numbers * _ADAPTER_NUMBER
    learning = {"adapters": 2 * adapter + moments}
    masks = {} if by_blocks else {"masks": lines * longest.tokens**2}
    phases: list[Parts] = [
        {"vision": vision_bytes(model, width), "adapters": adapter},
        learning | masks | {"activations": kept + 2 * hidden, "logits": held * model.vocabulary * 4 * _LOGIT_COPIES},
        learning | masks | {"activations": kept + worked},
        {"adapters": (3 + saved) * adapter},
        {"adapters": 4 * adapter},
    ]
    parts = _standing(model, device, images) | max(phases, key=lambda phase: sum(phase.values()))
    return _with_heap(parts, device, hidden, _CHECKPOINTED_HEAP if speed.gradient_checkpointing else _KEPT_HEAP)


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
    prompts_an_image: float = 1,
) -> Parts:
    """Of a stage that writes texts. ``asks``: a sample of the prompts; adapters: loaded at once, each of ``rank``."""
    width = device.width
    head, rest = max(ask.head for ask in asks), max(ask.rest for ask in asks)
    whole = head + rest + new_tokens
    rows = min(len(asks), max(1, max_batch_tokens // whole))
    room = -(-whole // _ROOM) * _ROOM
    cache = kv_bytes(model, rows * room, width)
    growth = cache // model.layers
    firsts = math.ceil(rows / prompts_an_image) if share and model.shares_image else rows
    read = firsts * (head if share and model.shares_image else head + rest)
    longest = read // max(1, firsts)
    mask = firsts * longest**2
    attention = read * width * (2 * model.hidden + 5 * model.heads * model.head_size) + mask * width
    prefill = max(attention, read * width * (4 * model.hidden + (4 if adapters else 3) * model.inner))
    head_cache = kv_bytes(model, read, width)
    standing = _standing(model, device, images) | {"adapters": adapters * lora_numbers(model, rank) * _ADAPTER_NUMBER}
    phases: list[Parts] = [
        {"vision": vision_bytes(model, width)},
        {"kv_cache": head_cache, "activations": prefill + mask},
        {"kv_cache": cache + growth, "logits": rows * model.vocabulary * _SAMPLING_BYTES},
    ]
    parts = standing | max(phases, key=lambda phase: sum(phase.values()))
    return _with_heap(parts, device, read * model.hidden * width, _GENERATION_HEAP)


_ROOM = 64
"""Tokens by which modeling/kv_cache.py grows."""
_LOGIT_COPIES = 4
"""The logits, and three of their size while their two gradients are added."""
_SAMPLING_BYTES = 40
"""A logit in fp32 and fp64, its probability and its noise."""


def vision_bytes(model: ModelShape, width: int) -> int:
    """One image in the vision tower: hidden states of all layers are returned, and one layer is at work."""
    return model.patches * width * ((model.tower_layers + 6) * model.tower_hidden + 2 * model.tower_inner)


def _with_heap(parts: Parts, device: Device, block: int, factor: int) -> Parts:
    """With what the heap may take beside its tensors, as long as those of the hidden size, ``block`` bytes, lie on it."""
    if not device.reuses_heap or block > MAPPED_BYTES:
        return parts
    tensors = sum(parts.values()) - parts["libraries"] - parts["weights"]
    return parts | {"heap": (factor - 1) * tensors}


def _standing(model: ModelShape, device: Device, images: int) -> Parts:
    features = min(images * model.hidden * device.width, FEATURES_BOUND)
    return {"libraries": device.libraries, "weights": model.parameters * device.width, "image_features": features}


def layer_bytes(model: ModelShape, device: Device, tokens: int, rank: int, dropout: bool) -> int:
    """What a decoder layer keeps of its tokens for the backward pass, masks of its attention aside.

    Hidden size: its input, what the MLP adds to, and what the adapters of q, k, v and of gate, up take in. Attention: queries,
    result, and the result as o's adapter takes it in; keys and values. Inner size: gate, its activation, up, and their product.
    Adapters drop inputs each on its own: in place of the input they keep what is left and what was drawn, a number each on the CPU.
    """
    query, keys = model.heads * model.head_size, 2 * model.kv_heads * model.head_size
    hidden, attention, inner = (7, 3, 4) if dropout else (4, 3, 4)
    drawn = 5 * model.hidden + query + model.inner if dropout else 0
    numbers = hidden * model.hidden + attention * query + keys + inner * model.inner + 7 * rank
    return tokens * (numbers * device.width + drawn * device.drawn)


def attention_bytes(model: ModelShape, width: int, row: TrainingRow, by_blocks: bool) -> int:
    """What a layer's attention keeps of one line beside that where there is a mask: it as numbers, keys and values for every head."""
    if by_blocks:
        seen, asking = (row.tokens - row.branch, row.branch) if row.branch else (0, 0)
    else:
        seen = asking = row.tokens
    return (2 * seen * model.heads * model.head_size + asking * seen) * width
