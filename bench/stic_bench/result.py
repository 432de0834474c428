"""What a row of the table says: medians, ratios of pairs, their spread, and whether both sides agree."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Result:
    """One row. ``ours`` and ``theirs`` are measured in turns, pair by pair; ratios are theirs / ours."""

    name: str
    yardstick: str
    unit: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    wanted: str = ""
    agreement: str = ""
    """What was compared and how far apart both sides are."""
    agrees: bool = True
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @classmethod
    def of(cls, record: dict[str, Any]) -> Result:
        """From what ``record`` gave."""
        return cls(**{each.name: record[each.name] for each in fields(cls)})

    def cells(self) -> list[str]:
        if not self.ours:
            return [self.name, self.yardstick, "-", "-", "not measured here", "-", self.wanted, self.agreement]
        ratios = self.ratios
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} ({len(ratios)} pairs)"
        middle = [f"{statistics.median(values):.3g} {self.unit}" for values in (self.ours, self.theirs)]
        return [self.name, self.yardstick, *middle, f"{statistics.median(ratios):.2f}x", spread, self.wanted, self.agreement]

    def record(self) -> dict[str, Any]:
        ratios = self.ratios
        return asdict(self) | {"ratios": ratios, "ratio": statistics.median(ratios) if ratios else None}


HEAD = ["work", "yardstick", "ours", "theirs", "ratio", "spread of the ratio", "wanted", "do both agree"]


def table(results: list[Result]) -> str:
    """A Markdown table."""
    rows = [HEAD, *(result.cells() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


def farthest(ours: list[float], theirs: list[float]) -> float:
    """Largest relative difference between two curves."""
    return max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(ours, theirs, strict=True))
