"""Questions that need several objects of a scene of the embedded world.

An answer may tell its steps ("red and blue, so no"); its last word is what counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from stic_trainer.benchmarks.answers import expected, majority_accuracy, normalise
from stic_trainer.benchmarks.protocol import Item, Metric


class WorldMulti:
    name = "world-multi"
    metrics = (Metric("accuracy", "%", higher_is_better=True, primary=True, meaning="last words equal to the true answer"),)

    def score(self, item: Item, text: str) -> dict[str, float]:
        words = normalise(text).split()
        return {"accuracy": float(bool(words) and words[-1] == expected(item))}

    def baseline(self, items: Sequence[Item]) -> dict[str, float]:
        return {"accuracy": majority_accuracy(items)}
