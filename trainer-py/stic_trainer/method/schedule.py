"""Learning rate by optimizer step: linear warm-up, then a cosine to zero."""

from __future__ import annotations

import math


def learning_rate(step: int, *, num_steps: int, peak: float, warmup_ratio: float) -> float:
    """The rate of ``step`` (0..num_steps-1). The first step already learns; the rate would be 0 at ``num_steps``."""
    warmup_steps = math.ceil(warmup_ratio * num_steps)
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, num_steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))
