"""One optimizer step: shares of a global sum are back-propagated, then clipped, checked and applied.

Only the adapter is trainable and every process has all of it, so several processes need one sum of its gradients a step and
no wrapper around the model.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Protocol

import torch
from torch import Tensor, nn

from stic_trainer.engine.distributed import join_process_group
from stic_trainer.errors import StageError
from stic_trainer.ranks import Ranks


class OptimizerSettings(Protocol):
    """What is needed of recipe.proto's OptimizerConfig."""

    @property
    def weight_decay(self) -> float: ...
    @property
    def max_grad_norm(self) -> float: ...


class LocalEngine:
    """AdamW over named parameters, the same in every process of ``ranks``."""

    def __init__(self, parameters: OrderedDict[str, nn.Parameter], settings: OptimizerSettings, ranks: Ranks | None = None) -> None:
        self.parameters = parameters
        self.ranks = ranks or Ranks()
        self._max_norm = settings.max_grad_norm or math.inf
        self._optimizer = torch.optim.AdamW(parameters.values(), lr=0.0, weight_decay=settings.weight_decay)

    @property
    def rank(self) -> int:
        return self.ranks.rank

    def backward(self, share: Tensor) -> None:
        """Adds the gradient of a share of the step's loss: a sum over some rows divided by the number of ALL the step's rows."""
        share.backward()  # type: ignore[no-untyped-call]

    def update(self, *, learning_rate: float, step: int) -> float:
        """Applies the step and returns the gradient's norm before clipping. StageError DIVERGED, nothing applied, if not finite."""
        self._sum_over_ranks()
        gradients = [parameter.grad for parameter in self.parameters.values() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not bool(torch.isfinite(norm)):
            self._optimizer.zero_grad(set_to_none=True)
            raise StageError(
                "DIVERGED",
                f"the gradient is not finite at step {step}; the weights of the last checkpoint are intact",
                "optimizer.learning_rate",
                "lower the learning rate or set max_grad_norm, and look at the pairs of this step",
            )
        torch.nn.utils.clip_grads_with_norm_(self.parameters.values(), self._max_norm, norm)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return float(norm)

    def state(self) -> dict[str, Tensor]:
        """Weights and optimizer state by name: "weight/...", "step/...", "mean/...", "square/...", "random"."""
        tensors: dict[str, Tensor] = {"random": torch.get_rng_state()}
        for name, parameter in self.parameters.items():
            tensors[f"weight/{name}"] = parameter.detach()
            moments = self._optimizer.state.get(parameter)
            if moments:
                tensors[f"step/{name}"] = moments["step"]
                tensors[f"mean/{name}"] = moments["exp_avg"]
                tensors[f"square/{name}"] = moments["exp_avg_sq"]
        return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Takes up exactly where ``state`` left. KeyError when a weight is missing."""
        torch.set_rng_state(tensors["random"])
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(tensors[f"weight/{name}"])
                if f"step/{name}" in tensors:
                    self._optimizer.state[parameter] = {
                        "step": tensors[f"step/{name}"].clone(),
                        "exp_avg": tensors[f"mean/{name}"].to(parameter.device, copy=True),
                        "exp_avg_sq": tensors[f"square/{name}"].to(parameter.device, copy=True),
                    }

    def _sum_over_ranks(self) -> None:
        """One message for all gradients. A process may have had no row in this step; it takes part all the same."""
        if self.ranks.world_size == 1:
            return
        parameters = list(self.parameters.values())
        mine = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
        total = self.ranks.all_reduce(torch.cat([gradient.flatten() for gradient in mine]))
        for parameter, gradient in zip(parameters, torch.split(total, [each.numel() for each in parameters]), strict=True):
            parameter.grad = gradient.view_as(parameter)


def make_engine(parameters: OrderedDict[str, nn.Parameter], settings: OptimizerSettings) -> LocalEngine:
    return LocalEngine(parameters, settings, join_process_group())
