"""The paired bootstrap against cases that can be worked out by hand."""

import pytest

from stic_trainer.benchmarks import paired_bootstrap


def test_two_items_have_three_possible_means() -> None:
    # Differences 0 and 1: a resample's mean is 0, 1/2 or 1 with probability 1/4, 1/2, 1/4.
    interval = paired_bootstrap([0, 0], [0, 1], resamples=4000, confidence=0.95)
    assert (interval.difference, interval.low, interval.high, interval.n) == (50.0, 0.0, 100.0, 2)
    # The middle 40 % of that distribution lies on 1/2 alone.
    narrow = paired_bootstrap([0, 0], [0, 1], resamples=4000, confidence=0.4)
    assert (narrow.low, narrow.high) == (50.0, 50.0)


def test_a_constant_difference_has_no_spread() -> None:
    interval = paired_bootstrap([0.1, 0.5, 0.9], [0.2, 0.6, 1.0])
    assert [interval.difference, interval.low, interval.high] == pytest.approx([10, 10, 10])
    assert interval.excludes_zero


def test_pairing_removes_what_both_systems_share() -> None:
    # Hard and easy items differ a lot, the systems differ a little on each: unpaired, this interval would span zero.
    baseline = [i / 200 for i in range(200)]
    candidate = [score + 0.01 + 0.01 * (i % 2) for i, score in enumerate(baseline)]
    interval = paired_bootstrap(baseline, candidate)
    assert interval.difference == pytest.approx(1.5)
    assert 1.4 < interval.low < 1.5 < interval.high < 1.6


def test_many_items_agree_with_the_normal_interval() -> None:
    # 60 of 400 items improve and 20 get worse: mean 0.10, standard deviation sqrt(0.2 - 0.01).
    candidate = [1.0] * 60 + [-1.0] * 20 + [0.0] * 320
    interval = paired_bootstrap([0.0] * 400, candidate)
    half = 1.96 * (0.19**0.5) / 20 * 100
    assert interval.difference == pytest.approx(10.0)
    assert interval.low == pytest.approx(10 - half, abs=0.4)
    assert interval.high == pytest.approx(10 + half, abs=0.4)


def test_equal_systems_do_not_exclude_zero() -> None:
    assert not paired_bootstrap([0, 1, 1, 0], [0, 1, 1, 0]).excludes_zero


def test_the_seed_decides() -> None:
    scores = ([0.0, 1.0, 0.0, 1.0, 0.0] * 9, [1.0, 0.5, 0.0, 1.0, 0.2] * 9)
    assert paired_bootstrap(*scores, seed=1) == paired_bootstrap(*scores, seed=1)
    assert paired_bootstrap(*scores, seed=1) != paired_bootstrap(*scores, seed=2)


@pytest.mark.parametrize(
    ("baseline", "candidate", "reason"),
    [([], [], "no items"), ([1.0], [1.0, 2.0], "differ in number"), ([1.0], [float("nan")], "not finite")],
)
def test_unusable_scores_are_refused(baseline: list[float], candidate: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        paired_bootstrap(baseline, candidate)
