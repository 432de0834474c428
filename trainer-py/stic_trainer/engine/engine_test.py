"""The optimizer's step: independent of the split into micro-batches, clipped, refused when not finite, resumable to the bit."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from stic_trainer.engine.engine import LocalEngine
from stic_trainer.errors import StageError
from stic_trainer.method.dpo import Scores, regularised_loss
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, branch, join_rows
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import add_random_adapter, paint, tiny_policy


@dataclass(frozen=True)
class _Settings:
    weight_decay: float = 0.0
    max_grad_norm: float = 0.0


def _engine(values: Sequence[float] = (1.0, 2.0), settings: _Settings = _Settings()) -> LocalEngine:
    parameters = OrderedDict((f"p{index}", nn.Parameter(torch.tensor([value]))) for index, value in enumerate(values))
    return LocalEngine(parameters, settings)


def _weights(engine: LocalEngine) -> list[float]:
    return [parameter.item() for parameter in engine.parameters.values()]


def _pull(engine: LocalEngine, *gradients: float) -> None:
    """Back-propagates a loss with these gradients."""
    terms = zip(engine.parameters.values(), gradients, strict=True)
    engine.backward(torch.stack([parameter * gradient for parameter, gradient in terms]).sum())


def _pairs(policy: Policy, folder: Path) -> list[Row]:
    rows = []
    for key, (good, bad) in enumerate([("A red kite.", "A boat"), ("Two.", "Three of them"), ("Rain", "Sun, sun"), ("No", "Yes!")]):
        image = paint(folder, seed=key)
        question = Message("user", "What is it?", image=True)
        count = policy.vision.num_tokens(image)
        sides = [policy.chat.conversation([question, Message("assistant", text)], count) for text in (good, bad)]
        rows.append(branch(sides[0], sides[1], image, key=key))
    return rows


def _gradients(policy: Policy, engine: LocalEngine, groups: Sequence[Sequence[Row]]) -> dict[str, Tensor]:
    """Of a whole step whose rows come in ``groups``; the reference gives every text 0 nats."""
    total = sum(len(group) for group in groups)
    for group in groups:
        sides = score(policy, join_rows(group, device=policy.device)).view(-1, 2)
        zeros = torch.zeros(len(group), dtype=sides.dtype)
        losses = regularised_loss(Scores(sides[:, 0], sides[:, 1]), Scores(zeros, zeros), beta=0.1, chosen_weight=0.01)
        engine.backward(losses.sum() / total)
    found = {name: parameter.grad.clone() for name, parameter in engine.parameters.items() if parameter.grad is not None}
    for parameter in engine.parameters.values():
        parameter.grad = None
    return found


def test_any_split_into_micro_batches_gives_the_same_gradient(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / "model", "llava-next-mistral")
    add_random_adapter(policy)
    engine = LocalEngine(policy.adapters.trainable(), _Settings())
    a, b, c, d = _pairs(policy, tmp_path / "images")
    whole = _gradients(policy, engine, [[a, b, c, d]])
    assert max(float(gradient.abs().max()) for gradient in whole.values()) > 1e-3
    for split in ([[a], [b], [c], [d]], [[d, c, b], [a]], [[b, d], [a, c]]):
        for name, gradient in _gradients(policy, engine, split).items():
            torch.testing.assert_close(gradient, whole[name], rtol=0, atol=1e-9)


def test_additions_have_one_order_so_the_same_step_has_the_same_bits(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / "model", dtype=torch.float32)
    add_random_adapter(policy)
    engine = LocalEngine(policy.adapters.trainable(), _Settings())
    a, b, c, d = _pairs(policy, tmp_path / "images")
    first, second = (_gradients(policy, engine, [[a, b], [c, d]]) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_step_is_adamw_with_the_gradient_clipped_to_the_bound() -> None:
    engine = _engine(settings=_Settings(weight_decay=0.1, max_grad_norm=1.0))
    _pull(engine, 3.0, 4.0)
    norm = engine.update(learning_rate=0.5, step=0)
    assert norm == pytest.approx(5.0)
    # Clipped to (0.6, 0.8); AdamW's first step moves by the learning rate, after the decay.
    assert _weights(engine) == pytest.approx([1 * (1 - 0.05) - 0.5, 2 * (1 - 0.05) - 0.5], abs=1e-6)
    moments = engine.state()
    assert moments["mean/p0"].item() == pytest.approx(0.06, rel=1e-5)
    assert moments["square/p1"].item() == pytest.approx(0.00064, rel=1e-5)


def test_a_gradient_below_the_bound_or_without_one_is_left_alone() -> None:
    for bound in (10.0, 0.0):
        engine = _engine(settings=_Settings(max_grad_norm=bound))
        _pull(engine, 3.0, 4.0)
        engine.update(learning_rate=0.5, step=0)
        assert engine.state()["mean/p0"].item() == pytest.approx(0.3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_refused_and_nothing_is_applied(bad: float) -> None:
    engine = _engine(settings=_Settings(max_grad_norm=1.0))
    _pull(engine, 1.0, 1.0)
    engine.update(learning_rate=0.1, step=0)
    before = engine.state()
    _pull(engine, 1.0, bad)
    with pytest.raises(StageError, match="not finite at step 1") as refused:
        engine.update(learning_rate=0.1, step=1)
    assert refused.value.code == "DIVERGED"
    after = engine.state()
    assert all(torch.equal(before[name], after[name]) for name in before)
    # The bad gradient is gone: the next step is as if it had never been.
    _pull(engine, 1.0, 1.0)
    assert engine.update(learning_rate=0.1, step=1) == pytest.approx(math.sqrt(2))


def _train(engine: LocalEngine, steps: range) -> None:
    for step in steps:
        noise = torch.randn(2)
        _pull(engine, math.sin(step) + float(noise[0]), math.cos(step) + float(noise[1]))
        engine.update(learning_rate=0.1 / (step + 1), step=step)


def test_a_restored_engine_goes_on_with_the_same_bits() -> None:
    settings = _Settings(weight_decay=0.01, max_grad_norm=1.0)
    torch.manual_seed(5)
    unbroken = _engine(settings=settings)
    _train(unbroken, range(6))

    torch.manual_seed(5)
    first = _engine(settings=settings)
    _train(first, range(3))
    saved = first.state()
    torch.manual_seed(99)
    second = _engine((7.0, 7.0), settings)
    _train(second, range(2))
    second.restore(saved)
    _train(second, range(3, 6))

    assert _weights(second) == _weights(unbroken)
    ours, theirs = second.state(), unbroken.state()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_state_without_a_weight_is_refused() -> None:
    engine = _engine()
    state = engine.state()
    del state["weight/p1"]
    with pytest.raises(KeyError, match="weight/p1"):
        engine.restore(state)
