"""Stage 1's loss: direct preference optimisation with a term that keeps the preferred text likely (arXiv 2405.19716, eq. 4).

The rejected scores are those of the rejected tokens. The official code sums the model's own strongest tokens in their place;
``strongest_other`` does so for whoever wants to compare with it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


@dataclass(frozen=True)
class Scores:
    """Log-probabilities of the two responses, summed over their tokens; both (pairs,)."""

    chosen: Tensor
    rejected: Tensor

    def detach(self) -> Scores:
        return Scores(self.chosen.detach(), self.rejected.detach())

    def swapped(self) -> Scores:
        return Scores(self.rejected, self.chosen)


def log_ratio_margin(policy: Scores, reference: Scores) -> Tensor:
    """(pairs,): how much more the policy than the reference prefers the chosen text, in nats."""
    return (policy.chosen - reference.chosen) - (policy.rejected - reference.rejected)


def regularised_loss(policy: Scores, reference: Scores, *, beta: float, chosen_weight: float) -> Tensor:
    """(pairs,): -logsigmoid(beta * margin) - chosen_weight * log pi(chosen). The weight is on the sum over tokens."""
    return -logsigmoid(beta * log_ratio_margin(policy, reference)) - chosen_weight * policy.chosen


def chosen_only_loss(policy: Scores, chosen_tokens: Tensor) -> Tensor:
    """(pairs,): mean cross-entropy of the chosen tokens; ``chosen_tokens`` (pairs,) are their counts. A control arm."""
    return -policy.chosen / chosen_tokens


def strongest_other(logits: Tensor, tokens: Tensor) -> Tensor:
    """(N,) the strongest token of logits (N, vocabulary), the second strongest where it is the one in ``tokens`` (N,).

    What the official code (yihedeng9/STIC at 993734e, stic/dpo_trainer.py) scores for the rejected side.
    """
    first, second = logits.topk(2, dim=-1).indices.unbind(dim=-1)
    return torch.where(first == tokens, second, first)


@dataclass(frozen=True)
class DpoSums:
    """What a step reports, summed over pairs; stays on the device until the step is over. ``metrics.DPO_TERMS`` says what each means."""

    loss: Tensor
    margin: Tensor
    correct: Tensor
    chosen_reward: Tensor
    rejected_reward: Tensor
    chosen: Tensor
    rejected: Tensor

    @staticmethod
    def of(loss: Tensor, policy: Scores, reference: Scores, *, beta: float) -> DpoSums:
        policy = policy.detach()
        chosen, rejected = beta * (policy.chosen - reference.chosen), beta * (policy.rejected - reference.rejected)
        margin = chosen - rejected
        terms = (loss.detach(), margin, (margin > 0).to(margin.dtype), chosen, rejected, policy.chosen, policy.rejected)
        return DpoSums(*(term.sum() for term in terms))

    def stacked(self) -> Tensor:
        """(7,) fp64, in the order of the fields."""
        return torch.stack([getattr(self, field.name) for field in fields(self)]).double()
