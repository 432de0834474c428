"""Several processes as one job, joined by accelerate: NCCL between GPUs, gloo between CPU processes."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from stic_trainer.ranks import Ranks

_T = TypeVar("_T")


class DistributedRanks(Ranks):
    """Joins the processes that ``torchrun`` or ``accelerate launch`` started. Each has a GPU of its own where there are GPUs."""

    def __init__(self) -> None:
        from accelerate import PartialState  # type: ignore[import-untyped]

        state: Any = PartialState(cpu=not torch.cuda.is_available())
        self.rank = state.process_index
        self.world_size = state.num_processes
        self._device: torch.device = state.device

    def all_reduce(self, values: Tensor) -> Tensor:
        total = values.detach().to(self._device, copy=True)
        distributed.all_reduce(total)
        return total.to(values.device)

    def any(self, flag: bool) -> bool:
        return bool(self.all_reduce(torch.tensor(float(flag))))

    def all_gather(self, value: _T) -> list[_T]:
        values: list[Any] = [None] * self.world_size
        distributed.all_gather_object(values, value)
        return values


@cache
def join_process_group() -> Ranks:
    """The processes of this job: several when a launcher says so in WORLD_SIZE, else this one."""
    return DistributedRanks() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Ranks()
