"""Paired bootstrap: the interval of the difference between two systems on the same items (Efron and Tibshirani, 1993)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_CHUNK_DRAWS = 2_000_000


@dataclass(frozen=True)
class Interval:
    """Difference of two means over ``n`` items and its percentile interval, in points (100 times the scores)."""

    difference: float
    low: float
    high: float
    n: int

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    baseline: Sequence[float],
    candidate: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """``candidate - baseline`` from per-item scores in the same item order.

    Items are drawn with replacement, both systems together. ValueError for unequal lengths, no items, a non-finite score
    or settings out of range.
    """
    if len(baseline) != len(candidate):
        raise ValueError(f"paired scores differ in number: {len(baseline)} and {len(candidate)}")
    if not baseline:
        raise ValueError("no items to compare")
    if resamples < 1 or not 0 < confidence < 1:
        raise ValueError(f"resamples must be at least 1 and confidence inside (0, 1): got {resamples} and {confidence}")
    differences = np.asarray(candidate, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("a score is not finite")
    draws = np.random.default_rng(seed)
    count = len(differences)
    means: list[np.ndarray] = []
    left = resamples
    while left > 0:
        rows = min(left, max(1, _CHUNK_DRAWS // count))
        means.append(differences[draws.integers(0, count, (rows, count))].mean(axis=1))
        left -= rows
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), (tail, 1 - tail))
    return Interval(100 * float(differences.mean()), 100 * float(low), 100 * float(high), count)
