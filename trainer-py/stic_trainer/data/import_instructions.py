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
from stic_trainer.data.ingest import Problem, ingest_image
from stic_trainer.data.json_stream import read_elements
from stic_trainer.data.media import unread_field, unread_placeholder
from stic_trainer.data.records import ImageItem, InstructionRow, Turn
from stic_trainer.errors import StageError

PLACEHOLDER = "<image>"


@dataclass(frozen=True)
class _Draft:
    """A row whose image is still to be read."""

    number: int
    name: str
    numbered: bool
    """The file gives it no id."""
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
        given = None if draft.numbered else draft.name
        content = json.dumps([given, draft.image, [(turn.sender, turn.value) for turn in draft.turns]])
        digest = hashlib.blake2b(content.encode(), digest_size=16).digest()
        first = self._numbers.setdefault(digest, draft.number)
        if first != draft.number:
            same = "image and conversation" if draft.numbered else "id, image and conversation"
            return Problem(draft.name, "DUPLICATE_NAME", f"row {draft.number}: the same {same} as row {first}")
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
    root = image_root or source.parent
    if not root.is_dir():
        raise StageError("DATA_INVALID", "no such image folder", str(root))
    task.expect(_count(source), "rows")
    folder = task.folder(root)
    images = task.once(lambda name: ingest_image(task.store, folder, folder.locate(name), name))
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


def _count(source: Path) -> int:
    """Rows of the file. StageError DATA_INVALID when it holds one object around them in place of a list."""
    count, first = 0, None
    for element in read_elements(source):
        first = element if count == 0 else first
        count += 1
    lists = [key for key, value in first.items() if isinstance(value, list)] if isinstance(first, dict) else []
    if count == 1 and lists and "conversations" not in lists:
        what = f"a list of rows is expected, and the file holds one object whose field {lists[0]} is a list"
        raise StageError("DATA_INVALID", what, str(source), "Nothing was imported. Make the list the whole content of the file.")
    return count


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
    numbered = name is None or name == ""
    if isinstance(name, bool) or not (numbered or isinstance(name, str | int)):
        raise _RowInvalid(f"field id is {_shown(name)}, not text or a whole number")
    image, rest = _image(element)
    unread = unread_field(rest, image)
    if unread:
        raise _RowInvalid(unread)
    turns = _with_placeholder(_turns(element.get("conversations")), image is not None)
    name = f"row-{number:06}" if numbered else _text("id", str(name))
    return _Draft(number, name, numbered, turns, image)


def _image(element: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The path of the row's image, None without one, and the fields that are not about it. A list of one path is that path."""
    for key in ("image", "images"):
        value = element.get(key)
        if value is None or (value == [] and key == "images"):
            continue
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, str) or not value:
            raise _RowInvalid(f"field {key} is {_shown(element[key])}, not the path of one image")
        return value, {other: held for other, held in element.items() if other not in (key, "conversations")}
    return None, {other: held for other, held in element.items() if other != "conversations"}


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
        unread = unread_field(turn, None) or (turn["from"] != "gpt" and unread_placeholder(where, turn["value"]))
        if unread:
            raise _RowInvalid(unread)
        turns.append(Turn(sender=turn["from"], value=_text(f"{where}.value", turn["value"])))
    spoken = [turn.sender for turn in turns if turn.sender != "system"]
    if (turns[0].sender != "system" and len(spoken) < len(turns)) or len(turns) - len(spoken) > 1:
        raise _RowInvalid("field conversations has a system turn that is not the first")
    if not spoken or spoken != ["human", "gpt"] * (len(spoken) // 2):
        raise _RowInvalid("field conversations does not alternate human and gpt, from a human's question to gpt's answer")
    if not all(turn.value.strip() for turn in turns if turn.sender == "gpt"):
        raise _RowInvalid("field conversations has an empty answer")
    if not all(turn.value.strip() for turn in turns if turn.sender == "human"):
        raise _RowInvalid("field conversations has an empty question")
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
