"""Descriptions of the embedded world against the scene graph.

An object counts as found only with place, size, color and shape right (strict). Look at F1, recall and hallucination
together: each alone can pass a failed run (a model that says less hallucinates less; one that says more recalls more).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stic_trainer.benchmarks.protocol import Item, Metric
from stic_trainer.world.language import parse_description
from stic_trainer.world.scene import CELLS, Thing


class WorldDescriptions:
    name = "world-descriptions"
    metrics = (
        Metric("f1", "%", higher_is_better=True, primary=True, meaning="strict F1 of the objects described"),
        Metric("recall", "%", higher_is_better=True, meaning="objects of the scene that are described correctly"),
        Metric("chair", "%", higher_is_better=False, meaning="descriptions naming a shape that is not in the scene"),
    )

    def score(self, item: Item, text: str) -> dict[str, float]:
        true = true_things(item)
        _, told = parse_description(text)
        # Multisets: an object repeated in the text counts once as right and then as wrong.
        right = sum((Counter(told) & Counter(true)).values())
        present = {thing.shape for thing in true}
        return {
            "f1": 2 * right / (len(told) + len(true)),
            "recall": right / len(true),
            "chair": float(any(thing.shape not in present for thing in told)),
        }

    def baseline(self, items: Sequence[Item]) -> dict[str, float]:
        """The most frequent object, always told."""
        counts = Counter(thing for item in items for thing in true_things(item))
        common = min(counts, key=lambda thing: (-counts[thing], thing))
        text = f"{CELLS[common.cell]} a {common.size} {common.color} {common.shape}"
        scores = [self.score(item, text) for item in items]
        return {metric.name: 100 * sum(score[metric.name] for score in scores) / len(scores) for metric in self.metrics}


def true_things(item: Item) -> list[Thing]:
    """The objects of the item's scene graph; ValueError where it has none or is malformed."""
    try:
        things = [Thing(CELLS.index(row["cell"]), row["size"], row["color"], row["shape"]) for row in item.truth["things"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"item {item.id}: 'truth' is no scene graph: {error!r}") from error
    if not things:
        raise ValueError(f"item {item.id}: the scene graph has no objects")
    return things
