"""Where an item's randomness comes from."""

from __future__ import annotations

import hashlib


def item_seed(seed: int, stage: str, name: str) -> int:
    """First 8 bytes of sha256("{seed}/{stage}/{name}") as an int in 0..2**63-1: the same in every batch, order and restart."""
    digest = hashlib.sha256(f"{seed}/{stage}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") & (2**63 - 1)
