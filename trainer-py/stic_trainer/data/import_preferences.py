"""Preference pairs of others as a dataset: its manifest is what stage dpo reads in place of the pairs that stage prefer makes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem, ingest_image
from stic_trainer.data.json_stream import read_elements
from stic_trainer.data.preference_layouts import PreferenceRow, RowRefused, read_preference
from stic_trainer.data.records import ImageItem, Pair
from stic_trainer.errors import StageError

MADE_BY = "imported"


@dataclass(frozen=True)
class _Draft:
    """A row whose image is still to be read."""

    number: int
    id: str
    row: PreferenceRow


class _Ids:
    """Makes the rows' ids unique: "id#2", "id#3", ... for repeated ones. Rows without one are numbered."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._times: Counter[str] = Counter()
        self._numbers: dict[bytes, int] = {}

    def settle(self, number: int, given: object, row: PreferenceRow) -> _Draft:
        content = json.dumps([repr(given), row.image, row.prompt, row.chosen, row.rejected])
        digest = hashlib.blake2b(content.encode(), digest_size=16).digest()
        first = self._numbers.setdefault(digest, number)
        if first != number:
            raise RowRefused(f"the same id, image, question and answers as row {first}", "DUPLICATE_NAME")
        own = given if isinstance(given, str | int) and not isinstance(given, bool) and _storable(str(given)) else number
        name = str(own)
        while name in self._taken:
            self._times[str(own)] += 1
            name = f"{own}#{self._times[str(own)] + 1}"
        self._taken.add(name)
        return _Draft(number, name, row)


def import_preferences(source: Path, image_root: Path | None, task: Import) -> None:
    """Writes the manifest of the rows of ``source``, in file order. A file that does not parse is refused as a whole."""
    if not source.is_file():
        what = "this is a folder, not a JSON file" if source.is_dir() else "no such file"
        raise StageError("DATA_INVALID", what, str(source), "Give the JSON or JSON-lines file with the preference pairs.")
    folder = image_root or source.parent
    if not folder.is_dir():
        raise StageError("DATA_INVALID", "no such image folder", str(folder))
    task.expect(sum(1 for _ in read_elements(source)), "pairs")
    root = task.folder(folder)
    images = task.once(lambda name: ingest_image(task.store, root, root.locate(name), name))
    ids = _Ids()

    def drafts() -> Iterator[tuple[_Draft | Problem, Any]]:
        for number, element in enumerate(read_elements(source), start=1):
            draft = _checked(number, element, ids)
            yield draft, images(draft.row.image) if isinstance(draft, _Draft) else None

    for draft, image in task.window(drafts()):
        outcome = draft if isinstance(draft, Problem) else _pair(draft, image, index=task.items)
        if isinstance(outcome, Problem):
            task.problem(outcome)
        else:
            task.item(outcome, image.bytes)
        task.advance()


def _checked(number: int, element: object, ids: _Ids) -> _Draft | Problem:
    try:
        row = read_preference(element)
        return ids.settle(number, element.get("id") if isinstance(element, dict) else None, row)
    except RowRefused as refusal:
        return Problem(f"row {number}", refusal.code, f"row {number}: {refusal}")


def _pair(draft: _Draft, image: ImageItem | Problem, *, index: int) -> Pair | Problem:
    """The record stage dpo reads. What is not known of a foreign pair (who wrote the rejected text, from what) is neutral."""
    if isinstance(image, Problem):
        return Problem(f"row {draft.number}", image.code, f"row {draft.number} ({image.name}): {image.reason}")
    return Pair(
        id=draft.id,
        index=index,
        image=image,
        prompt=draft.row.prompt,
        chosen=draft.row.chosen,
        rejected=draft.row.rejected,
        made_by=MADE_BY,
        rejected_prompt="",
        corrupted_image=None,
        corruption_parameters={},
        seed=0,
    )


def _storable(name: str) -> bool:
    return name != "" and name.isprintable()
