"""The processes that work on one job together, as one of them sees it. With one process there is nobody to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

_T = TypeVar("_T")


class Ranks:
    """A single process. Everything here is a meeting: every process of the job comes to it, in the same order."""

    index = 0
    """0 is the chief: it alone writes the journal, artifacts and checkpoints."""
    count = 1

    def sum(self, values: Tensor) -> Tensor:
        """The sum over processes, the same bits in each of them."""
        return values

    def any(self, flag: bool) -> bool:
        return flag

    def gather(self, value: _T) -> list[_T]:
        """Everybody's value, by index."""
        return [value]

    def share(self, items: list[_T], index: int | None = None) -> list[_T]:
        """The items that this process (or the one of ``index``) takes."""
        return items[self.index if index is None else index :: self.count]
