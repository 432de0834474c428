"""Attention block by block: what a token cannot see is not computed, where a mask would compute it and throw it away.

A block's tokens see each other causally, and the first tokens of their row, its prefix, in full. A prefix with its first
branch is one causal block; every further branch is a block that sees the prefix; so is every row of a pack, without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

LONG_ROW = 512
"""Tokens from which on several small calls cost less than one with a mask."""

_LANGUAGE_MODELS = ("llama", "mistral", "qwen2")
"""Those that hand arguments down to their attention and look at nothing but it."""


class Block(NamedTuple):
    start: int
    end: int
    prefix: int
    """Number of the row's first tokens that the block sees besides itself."""


def blocks_of(segments: Sequence[int]) -> list[Block]:
    """Of a row before padding; segment 0 is the prefix."""
    prefix = sum(segment == 0 for segment in segments)
    lengths = [len(list(run)) for segment, run in groupby(segments) if segment != 0]
    first = prefix + (lengths.pop(0) if prefix and lengths else 0)
    blocks = [Block(0, first, 0)] if first else []
    for length in lengths:
        start = blocks[-1].end if blocks else 0
        blocks.append(Block(start, start + length, prefix))
    return blocks


def attends_by_blocks(language_model: str) -> bool:
    """Whether a language model of this ``model_type`` can be given blocks."""
    return language_model in _LANGUAGE_MODELS


def block_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    blocks: Sequence[Sequence[Block]],
    **options: Any,
) -> tuple[Tensor, None]:
    """(rows, tokens, heads, size) from query, key and value (rows, heads, tokens, size). Padding attends to nothing and gives 0."""
    rows = []
    for row, own in enumerate(blocks):
        q, k, v = (states[row : row + 1] for states in (query, key, value))
        parts = [_attend(module, q, k, v, block, options) for block in own]
        padding = q.new_zeros(1, q.shape[2] - own[-1].end, q.shape[1], v.shape[3])
        rows.append(torch.cat([*parts, padding], dim=1))
    return torch.cat(rows), None


def _attend(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, block: Block, options: dict[str, Any]) -> Tensor:
    start, end, prefix = block
    own = query[:, :, start:end]
    if prefix == 0:
        output, _ = sdpa_attention_forward(module, own, key[:, :, start:end], value[:, :, start:end], None, **options)
        return output
    keys = torch.cat((key[:, :, :prefix], key[:, :, start:end]), dim=2)
    values = torch.cat((value[:, :, :prefix], value[:, :, start:end]), dim=2)
    mask = torch.ones(end - start, prefix + end - start, dtype=torch.bool, device=query.device).tril(prefix)
    output, _ = sdpa_attention_forward(module, own, keys, values, mask[None, None], **options)
    return output
