"""Items that a stage leaves out. Without torch, for the stage that needs none."""

from __future__ import annotations

from stic_trainer.config.job import JobInput
from stic_trainer.errors import StageError
from stic_trainer.runtime.context import StageContext


class Skips:
    """Items left out by a stage, reported as they happen, and the bound on the share that could not be used.

    A pair with equal sides is left out too but does not count against the bound: nothing is wrong with its image.
    """

    def __init__(self, ctx: StageContext, *, total: int, source: JobInput | None = None, max_fraction: float = 1.0) -> None:
        self._ctx = ctx
        self._total = total
        self._max = max_fraction
        refused = int(source.metadata.get("skipped", "0")) if source else 0
        listed = int(source.metadata.get("total", "0")) if source else 0
        self._refused_share = refused / max(1, listed, refused + total) if refused else 0.0
        self._names: set[str] = set()
        self._unusable = 0
        self.check()

    def add(self, name: str, code: str, reason: str) -> None:
        if name not in self._names:
            self._names.add(name)
            self._unusable += code != "EQUAL_SIDES"
            self._ctx.skip(name, code, reason)

    def check(self) -> None:
        """StageError TOO_MANY_SKIPPED once the share left out, here and at import, is above the bound."""
        share = self._refused_share + self._unusable / max(1, self._total)
        if share > self._max:
            raise StageError(
                "TOO_MANY_SKIPPED",
                f"{share:.1%} of the items could not be used; the recipe allows {self._max:.1%}",
                "max_skipped_fraction",
                "look at the skipped items: fix the images, or raise max_skipped_fraction",
            )
