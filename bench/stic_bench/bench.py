"""What every row is given: where to work, how large, how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stic_trainer.runtime.store import Store


@dataclass(frozen=True)
class Bench:
    folder: Path
    """Temporary: models, data, work folders."""
    threads: int
    pairs: int
    quick: bool
    """Small sizes: to see that everything runs, not to quote."""

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    def fresh(self, name: str) -> Path:
        """A folder that no earlier repetition has used."""
        parent = self.folder / "work"
        parent.mkdir(exist_ok=True)
        number = len(list(parent.glob(f"{name}-*")))
        return parent / f"{name}-{number}"
