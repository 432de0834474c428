"""How often each kind of pair is planned, and that the item's seed alone decides."""

import math
from collections import Counter

import pytest

from stic_trainer.data.seeds import item_seed
from stic_trainer.method.prompts import MISLEADING, PairPlan, pick_plain, plan_pair

PLAIN = [f"plain {index}" for index in range(8)]
WRONG = [f"misleading {index}" for index in range(8)]
NAMES = ("low_resolution", "color_jitter")
ITEMS = 6000


def _plan(index: int, probability: float = 0.5, weights: tuple[float, ...] = (1, 1)) -> PairPlan:
    seed = item_seed(42, "prefer", f"{index}.jpg")
    return plan_pair(seed, plain=PLAIN, misleading=WRONG, corrupted_probability=probability, corruption_weights=weights)


def _within(count: int, probability: float, total: int) -> bool:
    """Within 4.5 standard deviations: a wrong probability shows, bad luck does not (and seeds are fixed)."""
    return abs(count - total * probability) < 4.5 * math.sqrt(total * probability * (1 - probability))


def test_the_papers_frequencies() -> None:
    plans = [_plan(index) for index in range(ITEMS)]
    made_by = Counter(plan.made_by(NAMES) for plan in plans)
    assert _within(made_by[MISLEADING], 0.5, ITEMS)
    assert all(_within(made_by[name], 0.25, ITEMS) for name in NAMES)
    prompts = Counter(plan.prompt for plan in plans)
    assert len(prompts) == 8 and all(_within(count, 1 / 8, ITEMS) for count in prompts.values())
    wrong = Counter(plan.rejected_prompt for plan in plans if plan.corruption is None)
    assert len(wrong) == 8 and all(_within(count, 1 / 8, made_by[MISLEADING]) for count in wrong.values())


def test_weights_are_relative() -> None:
    made_by = Counter(_plan(index, 1.0, (3, 1)).made_by(NAMES) for index in range(ITEMS))
    assert _within(made_by["low_resolution"], 0.75, ITEMS)
    assert made_by[MISLEADING] == 0


def test_a_corrupted_image_is_asked_the_stored_prompt() -> None:
    for plan in map(_plan, range(200)):
        assert plan.rejected_prompt in (WRONG if plan.corruption is None else [plan.prompt])


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_the_mix_moves_no_other_choice(probability: float) -> None:
    for index in range(200):
        assert _plan(index, probability).prompt == _plan(index).prompt


def test_an_item_has_its_plan_whatever_else_is_planned() -> None:
    backwards = {index: _plan(index) for index in reversed(range(50))}
    assert [_plan(index) for index in range(50)] == [backwards[index] for index in range(50)]
    assert len({_plan(index) for index in range(50)}) > 20


def test_descriptions_ask_each_plain_prompt_as_often() -> None:
    counts = Counter(pick_plain(item_seed(42, "describe", str(index)), PLAIN) for index in range(ITEMS))
    assert len(counts) == 8 and all(_within(count, 1 / 8, ITEMS) for count in counts.values())
