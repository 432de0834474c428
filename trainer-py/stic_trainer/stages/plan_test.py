"""Which rows belong to which step: each once an epoch, in an order that only the seed decides."""

import dataclasses

import pytest

from stic_trainer.config.presets import load_recipe
from stic_trainer.stages.plan import Plan


def _plan(num_rows: int, *, batch_size: int = 8, epochs: int = 1, seed: int = 42) -> Plan:
    optimizer = dataclasses.replace(load_recipe("paper").dpo.optimizer, batch_size=batch_size, epochs=epochs)
    return Plan(num_rows, seed, optimizer)


@pytest.mark.parametrize(("num_rows", "batch_size", "epochs"), [(6000, 8, 1), (7, 8, 2), (17, 4, 3), (1, 1, 1)])
def test_every_row_is_seen_once_an_epoch(num_rows: int, batch_size: int, epochs: int) -> None:
    plan = _plan(num_rows, batch_size=batch_size, epochs=epochs)
    steps = [plan.rows(step) for step in range(plan.num_steps)]
    assert all(0 < len(rows) <= batch_size for rows in steps)
    for epoch in range(epochs):
        of_epoch = steps[epoch * plan.steps_per_epoch : (epoch + 1) * plan.steps_per_epoch]
        assert sorted(row for rows in of_epoch for row in rows) == list(range(num_rows))


def test_the_papers_6000_pairs_are_750_steps() -> None:
    assert _plan(6000).num_steps == 750


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    plan = _plan(64, epochs=2)
    first, second = ([row for step in range(start, start + 8) for row in plan.rows(step)] for start in (0, 8))
    assert first != second != list(range(64))
    assert _plan(64, seed=43).rows(0) != plan.rows(0)
    assert _plan(64, epochs=2).rows(11) == plan.rows(11)
