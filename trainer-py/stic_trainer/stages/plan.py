"""Which rows belong to which optimizer step: pure arithmetic, the same after every restart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from stic_trainer.config.job import OptimizerConfig
from stic_trainer.data.order import order
from stic_trainer.method.schedule import learning_rate


@dataclass(frozen=True)
class Plan:
    """``num_rows`` rows in shuffled epochs; an epoch's last step may be smaller, so that every row is seen once an epoch."""

    num_rows: int
    seed: int
    optimizer: OptimizerConfig

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.num_rows / self.optimizer.batch_size)

    @property
    def num_steps(self) -> int:
        return self.steps_per_epoch * self.optimizer.epochs

    def rows(self, step: int) -> list[int]:
        """Indices of the rows of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        start = place * self.optimizer.batch_size
        return _order(self.seed, epoch, self.num_rows)[start : start + self.optimizer.batch_size]

    def learning_rate(self, step: int) -> float:
        return learning_rate(step, num_steps=self.num_steps, peak=self.optimizer.learning_rate, warmup_ratio=self.optimizer.warmup_ratio)


_order = lru_cache(maxsize=4)(order)
