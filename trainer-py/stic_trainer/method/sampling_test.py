"""Noise that belongs to the item: uniform, independent of the batch, and drawing from the softmax."""

import math

import pytest
import torch
from torch import Tensor

from stic_trainer.method.sampling import fold, gumbel_noise, pick_tokens

SEEDS = torch.tensor([fold(7, str(item)) for item in range(20_000)])


def _draws(logits: Tensor, *, step: int = 0, temperature: float = 1.0, top_p: float = 1.0, seeds: Tensor = SEEDS) -> Tensor:
    return pick_tokens(logits.expand(len(seeds), -1), seeds, step, temperature=temperature, top_p=top_p)


def _shares(tokens: Tensor, vocabulary: int) -> Tensor:
    return torch.bincount(tokens, minlength=vocabulary) / len(tokens)


def _uniform(seeds: Tensor, step: int, vocabulary: int) -> Tensor:
    """The noise back as what it was made of: u = exp(-exp(-g))."""
    return torch.exp(-torch.exp(-gumbel_noise(seeds, step, vocabulary)))


def test_noise_is_uniform_underneath() -> None:
    values = _uniform(SEEDS[:200], 3, 500).flatten()
    assert values.min() > 0 and values.max() < 1
    counts = torch.histc(values, bins=50, min=0, max=1)
    expected = len(values) / 50
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    assert chi_squared < 100, "49 degrees of freedom: 100 has a probability below 0.0001"


@pytest.mark.parametrize("axis", ["items", "tokens", "steps"])
def test_noise_is_not_correlated_along(axis: str) -> None:
    if axis == "steps":
        values = torch.stack([_uniform(SEEDS[:1], step, 64)[0] for step in range(400)])
    else:
        values = _uniform(SEEDS[:400], 0, 64)
        values = values.T if axis == "tokens" else values
    values = values - 0.5
    neighbours = float((values[1:] * values[:-1]).mean() / values.var())
    assert abs(neighbours) < 4.5 / math.sqrt(values[1:].numel())


def test_noise_depends_on_nothing_but_item_step_and_token() -> None:
    whole = gumbel_noise(SEEDS[:32], 5, 100)
    assert torch.equal(gumbel_noise(SEEDS[3:4], 5, 100)[0], whole[3])
    assert torch.equal(gumbel_noise(SEEDS[:32].flip(0), 5, 100), whole.flip(0))
    assert torch.equal(gumbel_noise(SEEDS[:32], 5, 40), whole[:, :40])
    assert not torch.equal(gumbel_noise(SEEDS[:32], 6, 100), whole)


def test_noise_of_extreme_seeds_and_late_steps_is_finite() -> None:
    seeds = torch.tensor([0, 1, 2**63 - 1])
    noise = torch.stack([gumbel_noise(seeds, step, 1000) for step in (0, 1, 65_535, 4_000_000)])
    assert bool(noise.isfinite().all())
    assert len(set(noise.flatten().tolist())) == noise.numel()


def test_draws_follow_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -30.0])
    for temperature in (0.2, 1.0, 3.0):
        expected = torch.softmax(logits.double() / temperature, dim=0)
        found = _shares(_draws(logits, temperature=temperature), 5)
        bound = 4.5 * (expected * (1 - expected) / len(SEEDS)).sqrt() + 1e-9
        assert bool(((found - expected).abs() <= bound).all()), (temperature, found, expected)


def test_temperature_zero_takes_the_strongest_token() -> None:
    assert set(_draws(torch.tensor([0.0, 5.0, 4.999]), temperature=0).tolist()) == {1}


def test_top_p_keeps_the_smallest_set_that_holds_it() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    assert set(_draws(logits, top_p=0.5).tolist()) == {0}
    assert set(_draws(logits, top_p=0.6).tolist()) == {0, 1}
    assert set(_draws(logits, top_p=0.9).tolist()) == {0, 1, 2}
    found = _shares(_draws(logits, top_p=0.6), 4)
    assert found.tolist() == pytest.approx([0.625, 0.375, 0, 0], abs=0.02)


def test_parts_of_an_item_have_seeds_of_their_own() -> None:
    seeds = [fold(seed, label) for seed in range(50) for label in ("chosen", "rejected", "corruption")]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
