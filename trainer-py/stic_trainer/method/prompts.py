"""How a preference pair is to be made: everything random about it, drawn from the item's own seed (Algorithm 1)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

MISLEADING = "misleading_prompt"


@dataclass(frozen=True)
class PairPlan:
    prompt: str
    """Plain; stored as the user turn of both sides."""
    rejected_prompt: str
    """What produces the rejected text: a misleading prompt, or ``prompt`` itself on the corrupted image."""
    corruption: int | None
    """Index of the corruption; None for a misleading prompt."""

    def made_by(self, corruption_names: Sequence[str]) -> str:
        return MISLEADING if self.corruption is None else corruption_names[self.corruption]


def plan_pair(
    seed: int,
    *,
    plain: Sequence[str],
    misleading: Sequence[str],
    corrupted_probability: float,
    corruption_weights: Sequence[float],
) -> PairPlan:
    """The draws are made in one fixed order, all of them each time, so that one setting does not move the others' draws."""
    rng = random.Random(seed)
    prompt, wrong = rng.choice(plain), rng.choice(misleading)
    corrupted = rng.random() < corrupted_probability
    if not corrupted:
        return PairPlan(prompt, wrong, None)
    return PairPlan(prompt, prompt, rng.choices(range(len(corruption_weights)), corruption_weights)[0])


def pick_plain(seed: int, plain: Sequence[str]) -> str:
    """A uniform choice for one item."""
    return random.Random(seed).choice(plain)
