"""The processes that share one job, as one of them sees it: the names of torch.distributed, and a twin for a single process."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

_T = TypeVar("_T")


class Ranks:
    """A single process. Every method is a collective: all processes of the job call it, in the same order."""

    rank = 0
    """Rank 0 alone writes the journal, artifacts and checkpoints."""
    world_size = 1

    def all_reduce(self, values: Tensor) -> Tensor:
        """The sum over processes, the same bits in each of them."""
        return values

    def any(self, flag: bool) -> bool:
        return flag

    def all_gather(self, value: _T) -> list[_T]:
        """The value of every process, by rank."""
        return [value]

    def shard(self, items: list[_T], rank: int | None = None) -> list[_T]:
        """The items of this process, or of ``rank``."""
        return items[self.rank if rank is None else rank :: self.world_size]
