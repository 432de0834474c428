"""The time left: lumps, slow and fast parts, resumed counts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from stic_trainer.runtime.progress import RemainingTime


def _estimates(advances: Iterable[tuple[float, float]], total: float) -> list[tuple[float, float]]:
    """(now, seconds left) of every known estimate."""
    remaining = RemainingTime()
    found = [(now, remaining.eta_seconds(now, done, total)) for now, done in advances]
    return [(now, left) for now, left in found if left >= 0]


def _lumps(parts: Iterable[tuple[int, int, float, float]], start: float = 0.0) -> list[tuple[float, float]]:
    """Parts of (batches, texts a batch, seconds a batch, work a text), as the points at which a batch ends."""
    now, done = start, 0.0
    points = [(now, done)]
    for batches, texts, seconds, work in parts:
        for _ in range(batches):
            now += seconds
            done += texts * work
            points.append((now, done))
    return points


def test_a_steady_pace_gives_the_time_that_is_left() -> None:
    for now, left in _estimates(((float(second), second) for second in range(101)), 100):
        assert left == pytest.approx(100 - now, abs=0.5)


def test_nothing_is_said_before_the_count_has_advanced_a_few_times() -> None:
    remaining = RemainingTime()
    assert [remaining.eta_seconds(now, 3, 10) for now in (0, 5, 5, 100)] == [-1] * 4
    remaining = RemainingTime()
    assert [remaining.eta_seconds(float(now), done, 100) for now, done in enumerate((0, 30, 40))] == [-1] * 3
    assert remaining.eta_seconds(3, 50, 100) > 0


def test_the_end_is_zero_and_a_count_that_starts_anew_is_unknown() -> None:
    remaining = RemainingTime()
    for second in range(11):
        left = remaining.eta_seconds(second, second * 10, 100)
    assert left == 0
    assert remaining.eta_seconds(11, 5, 100) == -1


def test_what_an_earlier_attempt_did_is_no_pace() -> None:
    found = _estimates([(0, 900), *((float(second), 900 + second) for second in range(1, 50))], 1000)
    for now, left in found:
        assert left == pytest.approx(100 - now, abs=0.5)


def test_lumps_do_not_make_the_estimate_jump() -> None:
    """Batches of 64 texts, between fast ones: never a change by more than a quarter beyond the time that has passed."""
    points = _lumps([(2, 64, 20.0, 1.0), (3, 8, 2.5, 1.0)] * 10)
    found = _estimates(points, points[-1][1])
    for (before, earlier), (after, later) in pairwise(found[:-1]):
        assert abs(later - (earlier - (after - before))) <= max(10.0, 0.25 * earlier)


def test_an_evaluation_with_slow_descriptions_and_fast_answers_stays_near_the_truth() -> None:
    """Three models: few samples, many answers, then descriptions and answers to them, as seconds were measured; work as declared."""
    model = [(1, 12, 9.0, 8.0), (30, 50, 1.1, 1.0), (8, 62, 30.0, 8.0), (40, 37, 2.0, 1.0)]
    points = _lumps(model * 3)
    end, total = points[-1]
    found = [(now, left) for now, left in _estimates(points, total) if end - now > 30]
    assert found
    for now, left in found:
        assert 0.4 <= left / (end - now) <= 2.5, (now, left, end - now)
    for (_, earlier), (_, later) in pairwise(found):
        assert later <= 1.5 * earlier + 10


def test_a_slow_beginning_is_forgotten() -> None:
    slow = [(float(second), second / 4) for second in range(40)]
    fast = [(40.0 + second, 10.0 + second) for second in range(400)]
    for now, left in _estimates(slow + fast, 1000):
        if now > 150:
            assert left == pytest.approx(10 + 990 - (now - 40 + 10), rel=0.1)
