"""Stage 1's loss against the paper's equation, written out (arXiv 2405.19716, eq. 4)."""

import math

import pytest
import torch
from torch import Tensor

from stic_trainer.method.dpo import DpoSums, Scores, chosen_only_loss, log_ratio_margin, regularised_loss
from stic_trainer.method.metrics import DPO_TERMS


def _tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


POLICY = Scores(_tensor(-40.0, -12.5), _tensor(-55.0, -11.0))
REFERENCE = Scores(_tensor(-42.0, -12.0), _tensor(-50.0, -13.0))


def test_the_margin_is_the_difference_of_the_log_ratios() -> None:
    assert log_ratio_margin(POLICY, REFERENCE).tolist() == [(-40 + 42) - (-55 + 50), (-12.5 + 12) - (-11 + 13)]


def test_the_loss_is_the_papers_with_alpha_on_the_sum_of_log_probabilities() -> None:
    beta, alpha = 0.1, 1 / 1024
    expected = []
    for chosen, rejected, ref_chosen, ref_rejected in zip(
        POLICY.chosen.tolist(), POLICY.rejected.tolist(), REFERENCE.chosen.tolist(), REFERENCE.rejected.tolist(), strict=True
    ):
        inner = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
        expected.append(-math.log(1 / (1 + math.exp(-inner))) - alpha * chosen)
    losses = regularised_loss(POLICY, REFERENCE, beta=beta, chosen_weight=alpha)
    assert losses.tolist() == pytest.approx(expected, abs=1e-12)


def test_a_longer_preferred_text_weighs_more_in_the_second_term() -> None:
    """alpha * sum, not alpha * mean: doubling the tokens at the same log-probability each doubles the term."""
    tie = Scores(_tensor(0.0), _tensor(0.0))

    def second_term(tokens: int) -> float:
        policy = Scores(_tensor(-0.5 * tokens), _tensor(-0.5 * tokens))
        return float(regularised_loss(policy, tie, beta=0.1, chosen_weight=0.25)) - math.log(2)

    assert second_term(20) == pytest.approx(2 * second_term(10), abs=1e-12)


def test_the_gradient_is_the_derivative_of_the_equation() -> None:
    """d/d chosen = -beta * sigmoid(-inner) - alpha; d/d rejected = +beta * sigmoid(-inner)."""
    beta, alpha = 0.1, 0.25
    chosen, rejected = POLICY.chosen.clone().requires_grad_(), POLICY.rejected.clone().requires_grad_()
    regularised_loss(Scores(chosen, rejected), REFERENCE, beta=beta, chosen_weight=alpha).sum().backward()  # type: ignore[no-untyped-call]
    slope = beta * torch.sigmoid(-beta * log_ratio_margin(POLICY, REFERENCE))
    torch.testing.assert_close(chosen.grad, -slope - alpha)
    torch.testing.assert_close(rejected.grad, slope)


def test_the_loss_stays_finite_where_the_policy_has_gone_far() -> None:
    far = Scores(_tensor(-9000.0), _tensor(-1.0))
    loss = regularised_loss(far, Scores(_tensor(-1.0), _tensor(-9000.0)), beta=0.1, chosen_weight=1 / 1024)
    assert float(loss) == pytest.approx(0.1 * 2 * 8999 + 9000 / 1024)


def test_swapped_sides_turn_the_preference_round() -> None:
    swapped = log_ratio_margin(POLICY.swapped(), REFERENCE.swapped())
    assert torch.equal(swapped, -log_ratio_margin(POLICY, REFERENCE))


def test_the_chosen_only_arm_is_the_mean_cross_entropy() -> None:
    assert chosen_only_loss(POLICY, torch.tensor([20, 5])).tolist() == [2.0, 2.5]


def test_sums_of_parts_have_the_means_of_the_whole() -> None:
    losses = regularised_loss(POLICY, REFERENCE, beta=0.1, chosen_weight=0.0)
    whole = DpoSums.of(losses, POLICY, REFERENCE, beta=0.1)
    parts = [
        DpoSums.of(
            losses[[at]],
            Scores(POLICY.chosen[[at]], POLICY.rejected[[at]]),
            Scores(REFERENCE.chosen[[at]], REFERENCE.rejected[[at]]),
            beta=0.1,
        )
        for at in (0, 1)
    ]
    means = (whole.stacked() / 2).tolist()
    assert ((parts[0].stacked() + parts[1].stacked()) / 2).tolist() == pytest.approx(means, abs=1e-12)
    assert dict(zip([metric.name for metric in DPO_TERMS], means, strict=True)) == pytest.approx(
        {
            "dpo/loss": float(losses.mean()),
            "rewards/margins": 0.1 * (7 - 2.5) / 2,
            "rewards/accuracies": 0.5,
            "rewards/chosen": 0.1 * (2 - 0.5) / 2,
            "rewards/rejected": 0.1 * (-5 + 2) / 2,
            "logps/chosen": -26.25,
            "logps/rejected": -33.0,
        }
    )
