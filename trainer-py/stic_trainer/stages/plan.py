"""Which rows belong to which optimizer step and to which process: pure arithmetic, the same after every restart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from stic_trainer.config.job import OptimizerConfig, Sharding
from stic_trainer.data.order import order
from stic_trainer.method.schedule import learning_rate
from stic_trainer.ranks import Ranks

_Row = TypeVar("_Row")
_Group = TypeVar("_Group")


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

    def micro_batches(self, rows: list[_Row], ranks: Ranks, split: Callable[[list[_Row]], list[_Group]]) -> list[tuple[_Group, float]]:
        """This process's share of a step's rows in groups, each with its weight in the step: 1, or 0 for company.

        With a sharded model every process must run as many groups as the one with the most.
        """
        mine = ranks.shard(rows)
        groups = [(group, 1.0) for group in split(mine)] if mine else []
        if self.optimizer.sharding is Sharding.FULL:
            shares = [ranks.shard(rows, index) for index in range(ranks.world_size)]
            most = max(len(split(share)) for share in shares if share)
            groups += [(split(rows[:1])[0], 0.0)] * (most - len(groups))
        return groups


_order = lru_cache(maxsize=4)(order)
