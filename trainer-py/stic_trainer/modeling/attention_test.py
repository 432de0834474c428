"""Grouped attention is the library's attention, and is what models here use."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from stic_trainer.modeling.attention import GROUPED_SDPA, grouped_sdpa
from stic_trainer.modeling.testing import tiny_policy


@pytest.mark.parametrize(("heads", "key_heads", "length"), [(8, 2, 1), (8, 8, 1), (8, 1, 1), (8, 2, 5)])
def test_heads_that_share_a_key_head_attend_as_the_library_has_them(heads: int, key_heads: int, length: int) -> None:
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(3, heads, length, 16, generator=generator, dtype=torch.float64)
    room = torch.randn(2, 3, key_heads, 20, 16, generator=generator, dtype=torch.float64)
    key, value = room[0, :, :, :13], room[1, :, :, :13]  # as a cache with room to grow hands them over
    mask = torch.rand(3, 1, length, 13, generator=generator) > 0.4
    mask[..., -1] = True
    module: Any = SimpleNamespace(num_key_value_groups=heads // key_heads, is_causal=True)
    mine, _ = grouped_sdpa(module, query, key, value, mask, scaling=0.3)
    theirs, _ = sdpa_attention_forward(module, query, key, value, mask, scaling=0.3)
    assert mine.shape == theirs.shape
    assert (mine - theirs).abs().max() < 1e-12


def test_the_language_model_uses_it_and_the_tower_does_not(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path)
    assert policy.base.config.text_config._attn_implementation == GROUPED_SDPA
    assert policy.base.config.vision_config._attn_implementation == "sdpa"
