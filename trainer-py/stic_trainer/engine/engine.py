"""One optimizer step: shares of a global sum are back-propagated, then clipped, checked and applied.

``LocalEngine`` is plain torch on one device. ``AccelerateEngine`` is the same over several processes: only the adapter is
trainable and the base is replicated, so a step needs one sum of the adapter's gradients and no wrapper around the model.
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from stic_trainer.errors import StageError


class OptimizerSettings(Protocol):
    """What is needed of recipe.proto's OptimizerConfig."""

    @property
    def weight_decay(self) -> float: ...
    @property
    def max_grad_norm(self) -> float: ...


class LocalEngine:
    """AdamW over named parameters. ``rank`` of ``num_ranks`` says which share of every step's rows this process takes."""

    rank = 0
    num_ranks = 1

    def __init__(self, parameters: OrderedDict[str, nn.Parameter], settings: OptimizerSettings) -> None:
        self.parameters = parameters
        self._max_norm = settings.max_grad_norm or math.inf
        self._optimizer = torch.optim.AdamW(parameters.values(), lr=0.0, weight_decay=settings.weight_decay)

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

    def sum_over_ranks(self, values: Tensor) -> Tensor:
        return values

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
        """Nothing to sum with one process."""


class AccelerateEngine(LocalEngine):
    """The same step over the processes that ``accelerate launch`` or ``torchrun`` started."""

    def __init__(self, parameters: OrderedDict[str, nn.Parameter], settings: OptimizerSettings) -> None:
        from accelerate import Accelerator  # type: ignore[import-untyped]

        super().__init__(parameters, settings)
        self._accelerator: Any = Accelerator()
        self.rank = self._accelerator.process_index
        self.num_ranks = self._accelerator.num_processes

    def sum_over_ranks(self, values: Tensor) -> Tensor:
        total: Tensor = self._accelerator.reduce(values, reduction="sum")
        return total

    def _sum_over_ranks(self) -> None:
        # A rank may have had no row in this step; every parameter takes part all the same.
        for parameter in self.parameters.values():
            mine = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            parameter.grad = self.sum_over_ranks(mine)


def make_engine(parameters: OrderedDict[str, nn.Parameter], settings: OptimizerSettings) -> LocalEngine:
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    return AccelerateEngine(parameters, settings) if several else LocalEngine(parameters, settings)
