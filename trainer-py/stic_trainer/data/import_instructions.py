"""LLaVA-format instruction rows as a dataset: a JSON list (or JSON lines) with ``conversations`` and an optional ``image``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem, ingest_image, locate
from stic_trainer.data.json_stream import read_elements
from stic_trainer.data.records import ImageItem, InstructionRow, Turn
from stic_trainer.errors import StageError

PLACEHOLDER = "<image>"


@dataclass(frozen=True)
class _Draft:
    """A row whose image is still to be read."""

    number: int
    name: str
    turns: tuple[Turn, ...]
    image: str | None


class _RowInvalid(Exception):
    pass


class _Names:
    """Makes the rows' names unique. LLaVA's own files repeat an id for every kind of question about an image: such rows are
    all kept, the later ones as "id#2", "id#3", ...; only a row that says the same again is left out.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._times: Counter[str] = Counter()
        self._numbers: dict[bytes, int] = {}

    def settle(self, draft: _Draft) -> _Draft | Problem:
        content = json.dumps([draft.name, draft.image, [(turn.sender, turn.value) for turn in draft.turns]])
        digest = hashlib.blake2b(content.encode(), digest_size=16).digest()
        first = self._numbers.setdefault(digest, draft.number)
        if first != draft.number:
            return Problem(draft.name, "DUPLICATE_NAME", f"row {draft.number}: the same id, image and conversation as row {first}")
        name = draft.name
        while name in self._taken:
            self._times[draft.name] += 1
            name = f"{draft.name}#{self._times[draft.name] + 1}"
        self._taken.add(name)
        return dataclasses.replace(draft, name=name)


def import_instructions(source: Path, image_root: Path | None, task: Import) -> None:
    """Writes the manifest of the rows of ``source``, in file order. A file that does not parse is refused as a whole."""
    if not source.is_file():
        what = "this is a folder, not a JSON file" if source.is_dir() else "no such file"
        raise StageError("DATA_INVALID", what, str(source), "Give the LLaVA-format JSON file.")
    folder = image_root or source.parent
    if not folder.is_dir():
        raise StageError("DATA_INVALID", "no such image folder", str(folder))
    task.expect(sum(1 for _ in read_elements(source)), "rows")
    root = folder.resolve()
    images = task.once(lambda name: ingest_image(task.store, root, locate(root, name), name))
    names = _Names()

    def drafts() -> Iterator[tuple[_Draft | Problem, Any]]:
        for number, element in enumerate(read_elements(source), start=1):
            draft = _checked(number, element, names)
            wanted = draft.image if isinstance(draft, _Draft) else None
            yield draft, images(wanted) if wanted is not None else None

    for draft, image in task.window(drafts()):
        outcome = draft if isinstance(draft, Problem) else _row(draft, image)
        if isinstance(outcome, Problem):
            task.problem(outcome)
        else:
            task.item(outcome, outcome.image.bytes if outcome.image else 0)
        task.advance()


def _row(draft: _Draft, image: ImageItem | Problem | None) -> InstructionRow | Problem:
    if isinstance(image, Problem):
        return Problem(image.name, image.code, f"row {draft.number} ({draft.name}): {image.reason}")
    return InstructionRow(name=draft.name, conversations=draft.turns, image=image)


def _checked(number: int, element: object, names: _Names) -> _Draft | Problem:
    try:
        return names.settle(_parsed(number, element))
    except _RowInvalid as error:
        return Problem(f"row {number}", "ROW_INVALID", f"row {number}: {error}")


def _parsed(number: int, element: object) -> _Draft:
    if not isinstance(element, dict):
        raise _RowInvalid("it is not an object")
    name = element.get("id")
    if name is None or isinstance(name, bool) or not isinstance(name, str | int) or name == "":
        raise _RowInvalid("field id is missing" if name is None else f"field id is {name!r}, not text or a whole number")
    image = element.get("image")
    if image is not None and (not isinstance(image, str) or not image):
        raise _RowInvalid(f"field image is {_shown(image)}, not the path of one image")
    turns = _turns(element.get("conversations"))
    return _Draft(number, _text("id", str(name)), _with_placeholder(turns, image is not None), image)


def _turns(value: object) -> list[Turn]:
    if value is None:
        raise _RowInvalid("field conversations is missing")
    if not isinstance(value, list) or not value:
        raise _RowInvalid(f"field conversations is {_shown(value)}, not a list of turns")
    turns = []
    for index, turn in enumerate(value):
        where = f"conversations[{index}]"
        if not isinstance(turn, dict):
            raise _RowInvalid(f"field {where} is {_shown(turn)}, not an object")
        for key in ("from", "value"):
            if not isinstance(turn.get(key), str):
                raise _RowInvalid(f"field {where}.{key} is missing" if key not in turn else f"field {where}.{key} is not text")
        if turn["from"] not in ("human", "gpt", "system"):
            raise _RowInvalid(f"field {where}.from is {turn['from']!r}; allowed: human, gpt, system (first only)")
        turns.append(Turn(sender=turn["from"], value=_text(f"{where}.value", turn["value"])))
    spoken = [turn.sender for turn in turns if turn.sender != "system"]
    if (turns[0].sender != "system" and len(spoken) < len(turns)) or len(turns) - len(spoken) > 1:
        raise _RowInvalid("field conversations has a system turn that is not the first")
    if not spoken or spoken != ["human", "gpt"] * (len(spoken) // 2):
        raise _RowInvalid("field conversations does not alternate human and gpt, from a human's question to gpt's answer")
    if not all(turn.value.strip() for turn in turns if turn.sender == "gpt"):
        raise _RowInvalid("field conversations has an empty answer")
    return turns


def _with_placeholder(turns: list[Turn], has_image: bool) -> tuple[Turn, ...]:
    """The turns with the image's placeholder once, in the first question; it is added where it is missing."""
    count = sum(turn.value.count(PLACEHOLDER) for turn in turns)
    first = next(index for index, turn in enumerate(turns) if turn.sender == "human")
    if count > 1:
        raise _RowInvalid(f"field conversations holds {PLACEHOLDER} {count} times; one image a row is supported")
    if count == 1 and not has_image:
        raise _RowInvalid(f"field image is missing although conversations holds {PLACEHOLDER}")
    if count == 1 and PLACEHOLDER not in turns[first].value:
        raise _RowInvalid(f"field conversations holds {PLACEHOLDER} elsewhere than in the first question")
    if has_image and count == 0:
        turns[first] = Turn(sender="human", value=f"{PLACEHOLDER}\n{turns[first].value}")
    return tuple(turns)


def _text(field: str, value: str) -> str:
    """The value, once it is text that UTF-8 and a database can hold."""
    if "\x00" in value:
        raise _RowInvalid(f"field {field} holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _RowInvalid(f"field {field} holds half of a surrogate pair") from None
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
