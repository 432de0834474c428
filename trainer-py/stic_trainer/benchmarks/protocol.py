"""What a benchmark is: named metrics, and a score per item.

The value of every metric is 100 times the mean of its scores over the items, so that two systems can be compared item by
item (bootstrap.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Item:
    """One row of a benchmark folder's ``items.jsonl``."""

    id: str
    prompt: str
    image: str | None = None
    """Path relative to the benchmark folder; None for a question without a picture."""
    answer: str | None = None
    kind: str = ""
    """Group within the benchmark, for a breakdown; may be empty."""
    truth: Mapping[str, Any] = field(default_factory=dict)
    """What only this benchmark's scorer understands, such as a scene graph."""


@dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    higher_is_better: bool
    primary: bool = False
    """The one metric of the benchmark that a verdict is based on."""
    meaning: str = ""


class Benchmark(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> Sequence[Metric]: ...

    def score(self, item: Item, text: str) -> dict[str, float]:
        """One number from 0 to 1 per metric for the answer ``text`` to ``item``; ValueError for an unusable item."""
        ...

    def baseline(self, items: Sequence[Item]) -> dict[str, float]:
        """Each metric's value, 0 to 100, of a system that never looks: always the most frequent answer of its kind."""
        ...


def read_items(folder: Path) -> list[Item]:
    """The items of a benchmark folder. ValueError names file, line and reason."""
    path = folder / "items.jsonl"
    items: list[Item] = []
    seen: set[str] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        item = _parse_item(line, f"{path}:{number}")
        if item.id in seen:
            raise ValueError(f"{path}:{number}: the id {item.id!r} appears twice")
        seen.add(item.id)
        items.append(item)
    if not items:
        raise ValueError(f"{path}: no items")
    return items


def mean_scores(benchmark: Benchmark, items: Sequence[Item], texts: Sequence[str]) -> dict[str, float]:
    """Each metric's value, 0 to 100."""
    scores = [benchmark.score(item, text) for item, text in zip(items, texts, strict=True)]
    return {metric.name: 100 * sum(score[metric.name] for score in scores) / len(scores) for metric in benchmark.metrics}


def _parse_item(line: str, where: str) -> Item:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("prompt"), str) or "id" not in row:
        raise ValueError(f"{where}: an item needs 'id' and 'prompt'")
    image, answer, truth = row.get("image"), row.get("answer"), row.get("truth") or {}
    if not (image is None or isinstance(image, str)) or not (answer is None or isinstance(answer, str)):
        raise ValueError(f"{where}: 'image' and 'answer' must be text")
    if not isinstance(truth, dict):
        raise ValueError(f"{where}: 'truth' must be an object")
    return Item(id=str(row["id"]), prompt=row["prompt"], image=image, answer=answer, kind=str(row.get("kind") or ""), truth=truth)
