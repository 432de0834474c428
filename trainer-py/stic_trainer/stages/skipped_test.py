"""The share of items that could not be used, over import and stage."""

from pathlib import Path

import pytest

from stic_trainer.config.job import ArtifactKind, JobInput
from stic_trainer.errors import StageError
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.store import Store
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.testing import Recorder


def _skipped(tmp_path: Path, *, total: int, refused: int, listed: int, bound: float) -> Skipped:
    counts = {"skipped": str(refused), "total": str(listed)}
    source = JobInput(role="images", name="", sha256="0" * 64, kind=ArtifactKind.BLOB, metadata=counts)
    ctx = StageContext(sink=Recorder(), store=Store(tmp_path / "store"), work=tmp_path / "work")
    return Skipped(ctx, total=total, source=source, stage="prefer", max_fraction=bound)


def test_what_import_and_stage_left_out_is_a_share_of_one_whole(tmp_path: Path) -> None:
    skipped = _skipped(tmp_path, total=4, refused=1, listed=5, bound=0.8)
    for name in "abc":
        skipped.add(name, "EMPTY_TEXT", "the model returned an empty text")
    skipped.check()  # 1 + 3 of 5 items
    skipped.add("d", "EMPTY_TEXT", "the model returned an empty text")
    with pytest.raises(StageError, match=r"100\.0% of the items") as caught:
        skipped.check()
    assert (caught.value.code, caught.value.subject) == ("TOO_MANY_SKIPPED", "prefer.max_skipped_fraction")


def test_a_sample_stands_for_all_that_the_import_let_through(tmp_path: Path) -> None:
    skipped = _skipped(tmp_path, total=10, refused=50, listed=100, bound=0.75)
    for name in "abcde":
        skipped.add(name, "UNREADABLE", "cut off")
    skipped.check()  # half refused, and half of the sample
    skipped.add("f", "UNREADABLE", "cut off")
    with pytest.raises(StageError, match=r"80\.0% of the items"):
        skipped.check()
