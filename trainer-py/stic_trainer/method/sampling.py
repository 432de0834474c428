"""Sampling whose noise belongs to the item: a text depends on its seed, not on the batch it was generated in.

Gumbel-max: argmax(logits / temperature + g) with g = -log(-log(u)) draws from the softmax. u comes from a counter-based hash
of (item seed, step, token id), SplitMix64's finaliser (Steele, Lea and Flood, 2014).
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


_ID_STRIDE = _signed(0x9E3779B97F4A7C15)
# Tensors wrap around at 64 bits but Python numbers do not: this one times a step stays inside int64 for millions of steps.
_STEP_STRIDE = 0x632BE59BD9
_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


def fold(seed: int, label: str) -> int:
    """Another seed for a named part of the same item, in 0..2**63-1."""
    digest = hashlib.sha256(f"{seed}/{label}".encode()).digest()
    return int.from_bytes(digest[:8], "big") & (2**63 - 1)


def pick_tokens(logits: Tensor, seeds: Tensor, step: int, *, temperature: float, top_p: float) -> Tensor:
    """(rows,) token ids from logits (rows, vocabulary) and item seeds (rows,) int64. Temperature 0 is greedy; top_p 1 is off."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    scaled = logits.double() / temperature
    if top_p < 1:
        scaled = _nucleus(scaled, top_p)
    return (scaled + gumbel_noise(seeds, step, logits.shape[-1])).argmax(dim=-1)


def gumbel_noise(seeds: Tensor, step: int, vocabulary: int) -> Tensor:
    """(rows, vocabulary) float64."""
    ids = torch.arange(1, vocabulary + 1, dtype=torch.int64, device=seeds.device)
    row_keys = _mix(seeds + (step + 1) * _STEP_STRIDE)
    bits = _mix(row_keys[:, None] + ids * _ID_STRIDE)
    uniform = (_shift(bits, 12).double() + 0.5) * 2.0**-52
    return -torch.log(-torch.log(uniform))


def _shift(bits: Tensor, by: int) -> Tensor:
    """Logical shift to the right."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mix(bits: Tensor) -> Tensor:
    bits = (bits ^ _shift(bits, 30)) * _FIRST
    bits = (bits ^ _shift(bits, 27)) * _SECOND
    return bits ^ _shift(bits, 31)


def _nucleus(scaled: Tensor, top_p: float) -> Tensor:
    """All but the smallest set of tokens that holds ``top_p`` of the probability set to -inf."""
    ordered, order = scaled.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    outside = probabilities.cumsum(dim=-1) - probabilities >= top_p
    return scaled.scatter(-1, order, ordered.masked_fill(outside, float("-inf")))
