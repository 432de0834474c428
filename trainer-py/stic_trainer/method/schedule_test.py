import math

import pytest

from stic_trainer.method.schedule import learning_rate


def _rates(num_steps: int, warmup_ratio: float) -> list[float]:
    return [learning_rate(step, num_steps=num_steps, peak=2e-5, warmup_ratio=warmup_ratio) for step in range(num_steps)]


def test_warm_up_is_linear_and_reaches_the_peak() -> None:
    rates = _rates(100, 0.1)
    assert rates[:10] == pytest.approx([2e-5 * (step + 1) / 10 for step in range(10)])
    assert rates[10] == 2e-5


def test_the_rest_is_half_a_cosine_to_zero() -> None:
    rates = _rates(100, 0.1)
    expected = [2e-5 * 0.5 * (1 + math.cos(math.pi * step / 90)) for step in range(90)]
    assert rates[10:] == pytest.approx(expected)
    assert rates[55] == pytest.approx(1e-5)
    assert 0 < rates[-1] < rates[-2]


def test_the_papers_750_steps_warm_up_over_23() -> None:
    rates = _rates(750, 0.03)
    assert rates.index(max(rates)) == 22
    assert rates[22] == rates[23] == 2e-5


@pytest.mark.parametrize(("num_steps", "warmup_ratio"), [(1, 0.0), (1, 0.03), (1, 1.0), (3, 1.0), (5, 0.0)])
def test_every_step_learns_however_few_there_are(num_steps: int, warmup_ratio: float) -> None:
    assert all(0 < rate <= 2e-5 for rate in _rates(num_steps, warmup_ratio))
