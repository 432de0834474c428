"""Short answers: normalisation and the always-majority baseline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from stic_trainer.benchmarks.protocol import Item

_ARTICLES = {"a", "an", "the"}


def normalise(text: str) -> str:
    """Lower case, without punctuation (hyphens stay) and articles, single spaces."""
    words = re.sub(r"[^\w\s-]", " ", text.lower()).split()
    return " ".join(word for word in words if word not in _ARTICLES)


def expected(item: Item) -> str:
    """The item's answer; ValueError where it has none."""
    if item.answer is None:
        raise ValueError(f"item {item.id}: no 'answer' to compare with")
    return normalise(item.answer)


def ends_with_answer(item: Item, text: str) -> bool:
    """Whether the last words of ``text`` are the item's answer ("the kite is red" for "red"); whole words only."""
    wanted = expected(item).split()
    return normalise(text).split()[-len(wanted) :] == wanted


def majority_accuracy(items: Sequence[Item]) -> float:
    """0 to 100: always the most frequent answer among the items of the same kind."""
    by_kind: dict[str, Counter[str]] = {}
    for item in items:
        by_kind.setdefault(item.kind, Counter())[expected(item)] += 1
    return 100 * sum(max(counts.values()) for counts in by_kind.values()) / len(items)
