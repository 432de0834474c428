"""Items that a stage leaves out. Without torch, for the stage that needs none."""

from __future__ import annotations

from stic_trainer.config.job import JobInput
from stic_trainer.errors import StageError
from stic_trainer.runtime.context import StageContext


class Skipped:
    """Items left out by a stage, reported as they happen, and the bound on the share that could not be used.

    stage: whose ``max_skipped_fraction`` the bound is, None for no bound. A pair with equal sides is left out too but does not
    count against the bound: its image is usable.
    """

    def __init__(self, ctx: StageContext, *, total: int, stage: str, max_fraction: float | None, source: JobInput | None = None) -> None:
        self._ctx = ctx
        self._total = total
        self._field = f"{stage}.max_skipped_fraction"
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
        # Of what the import let through the stage may have drawn a sample: its share stands for all of it.
        share = self._refused_share + (1 - self._refused_share) * self._unusable / max(1, self._total)
        if self._max is not None and share > self._max:
            raise StageError(
                "TOO_MANY_SKIPPED",
                f"{share:.1%} of the items could not be used; the recipe allows {self._max:.1%}",
                self._field,
                f"look at the skipped items for the reasons, then mend them or allow more with --set {self._field}={_rounded_up(share)}",
            )


def _rounded_up(share: float) -> float:
    """The next whole hundredth above the share, at most 1."""
    return min(1.0, (int(share * 100) + 1) / 100)
