"""Orders that depend on a seed and nothing else, not even on the version of a random generator."""

from __future__ import annotations

import hashlib


def order(seed: int, epoch: int, n: int) -> list[int]:
    """A permutation of range(n), another one for each epoch."""
    return sorted(range(n), key=lambda index: hashlib.sha256(f"{seed}/order/{epoch}/{index}".encode()).digest())


def sample_without_replacement(seed: int, n: int, k: int) -> list[int]:
    """``k`` of range(n), ascending; all of them when ``k`` is 0 or not below ``n``. A larger k contains a smaller one's."""
    if k == 0 or k >= n:
        return list(range(n))
    return sorted(order(seed, -1, n)[:k])
