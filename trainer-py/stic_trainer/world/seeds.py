"""Seed ranges: which seeds may make which data, so that nothing is measured on what it was trained or tuned on."""

from __future__ import annotations

import random

BASE_SEEDS = range(1_000)
"""Training of the base model."""
TUNING_SEEDS = range(1_000, 2_000)
"""Choosing defaults: sizes, learning rates, question kinds."""
TEST_SEEDS = range(2_000, 1_000_000)
"""The demo and every reported result. No default was chosen on these."""

_RANGES = {"base": BASE_SEEDS, "tuning": TUNING_SEEDS, "test": TEST_SEEDS}


def purpose_of(seed: int) -> str:
    """The one range ("base", "tuning" or "test") that holds ``seed``; ValueError outside of all."""
    for name, seeds in _RANGES.items():
        if seed in seeds:
            return name
    raise ValueError(f"seed {seed} is outside of every range; use {TEST_SEEDS.start} to {TEST_SEEDS.stop - 1}")


def require(seed: int, *purposes: str) -> None:
    """ValueError unless ``seed`` belongs to one of ``purposes``."""
    if purpose_of(seed) not in purposes:
        allowed = ", ".join(f"{name} {_RANGES[name].start}..{_RANGES[name].stop - 1}" for name in purposes)
        raise ValueError(f"seed {seed} belongs to {purpose_of(seed)!r}; allowed here: {allowed}")


def stream(seed: int, split: str, index: int = 0) -> random.Random:
    """A generator of its own for one item: independent of how many items are made and in which order."""
    return random.Random(f"stic-world/{seed}/{split}/{index}")
