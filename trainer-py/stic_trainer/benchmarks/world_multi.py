"""Questions that need several objects of a scene of the embedded world.

An answer may tell its steps ("red and blue, so no"); its last words are what counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from stic_trainer.benchmarks.answers import ends_with_answer, majority_accuracy
from stic_trainer.benchmarks.protocol import Item, Metric


class WorldMulti:
    name = "world-multi"
    metrics = (Metric("accuracy", "%", higher_is_better=True, primary=True, meaning="answers that end with the true one"),)

    def score(self, item: Item, text: str) -> dict[str, float]:
        return {"accuracy": float(ends_with_answer(item, text))}

    def baseline(self, items: Sequence[Item]) -> dict[str, float]:
        return {"accuracy": majority_accuracy(items)}
