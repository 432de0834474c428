"""Attention of a single new token over a cache whose key and value heads serve several query heads each, and by blocks.

The library repeats keys and values for every query head, which copies the whole cache in every layer at every step. The heads
that share a key head are as well seen as several queries of it, and nothing is copied. Otherwise this is the library's sdpa.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from stic_trainer.modeling.blocks import Block, block_attention

GROUPED_SDPA = "grouped_sdpa"


def grouped_sdpa(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    blocks: Sequence[Sequence[Block]] | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """query (B, heads, Q, size), key and value (B, key heads, K, size), mask (B, 1, Q, K); returns (B, Q, heads, size)."""
    if blocks is not None:
        return block_attention(module, query, key, value, blocks=blocks, scaling=scaling, **options)
    rows, heads, length, size = query.shape
    if length > 1 or heads == key.shape[1] or attention_mask is None or options.get("position_bias") is not None:
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
        return output, None
    grouped = query.view(rows, key.shape[1], heads // key.shape[1], size)
    output = torch.nn.functional.scaled_dot_product_attention(grouped, key, value, attn_mask=attention_mask, scale=scaling)
    return output.reshape(rows, 1, heads, -1), None


AttentionInterface.register(GROUPED_SDPA, grouped_sdpa)
AttentionMaskInterface.register(GROUPED_SDPA, sdpa_mask)
