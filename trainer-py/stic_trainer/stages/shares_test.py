"""How a step's rows are dealt to processes and micro-batches."""

from __future__ import annotations

import dataclasses

import pytest

from stic_trainer.config.job import Sharding
from stic_trainer.config.presets import load_recipe
from stic_trainer.ranks import Ranks
from stic_trainer.stages.plan import Plan


class _Rank(Ranks):
    """A process without the others."""

    def __init__(self, rank: int, world_size: int) -> None:
        self.rank, self.world_size = rank, world_size


def _plan(sharding: Sharding) -> Plan:
    return Plan(7, 1, dataclasses.replace(load_recipe("tiny").dpo.optimizer, batch_size=4, sharding=sharding))


def _in_pairs(rows: list[int]) -> list[list[int]]:
    return [rows[start : start + 2] for start in range(0, len(rows), 2)]


@pytest.mark.parametrize("sharding", list(Sharding))
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_row_of_a_step_counts_once_whatever_the_number_of_processes(count: int, sharding: Sharding) -> None:
    rows = [10, 11, 12, 13, 14]
    dealt = [_plan(sharding).micro_batches(rows, _Rank(index, count), _in_pairs) for index in range(count)]
    counted = [row for groups in dealt for group, weight in groups if weight == 1 for row in group]
    assert sorted(counted) == rows
    assert {weight for groups in dealt for _, weight in groups} <= {0.0, 1.0}


def test_with_a_sharded_model_every_process_runs_the_same_number_of_passes() -> None:
    dealt = [_plan(Sharding.FULL).micro_batches([10, 11, 12, 13, 14], _Rank(index, 2), _in_pairs) for index in range(2)]
    assert dealt == [[([10, 12], 1.0), ([14], 1.0)], [([11, 13], 1.0), ([10], 0.0)]]
    alone = [_plan(Sharding.FULL).micro_batches([10], _Rank(index, 3), _in_pairs) for index in range(3)]
    assert alone == [[([10], 1.0)], [([10], 0.0)], [([10], 0.0)]]
