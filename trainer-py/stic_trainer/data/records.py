"""The rows that pass between stages, as docs/reference/artifacts.md describes them: JSON lines with sorted keys and no spaces."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from stic_trainer.decode import DecodeError, decode, require
from stic_trainer.errors import StageError


@dataclass(frozen=True, kw_only=True)
class ImageRef:
    name: str
    sha256: str
    width: int = 0
    """Of the upright image after decoding, px; 0 where it is not recorded."""
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class ImageItem:
    """An image of a dataset. ``name`` is its path relative to the source; ``thumbnail`` the sha256 of its small JPEG."""

    name: str
    sha256: str
    bytes: int
    width: int
    """Of the upright image, px."""
    height: int
    format: str
    mode: str
    """Pillow's mode of the stored file."""
    thumbnail: str

    @property
    def ref(self) -> ImageRef:
        return ImageRef(name=self.name, sha256=self.sha256, width=self.width, height=self.height)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message of a conversation in LLaVA's form; ``sender`` is "human" or "gpt", written as "from"."""

    sender: str
    value: str

    def __post_init__(self) -> None:
        require(self.sender in ("human", "gpt", "system"), "from", self.sender, "human, gpt, system")


@dataclass(frozen=True, kw_only=True)
class InstructionRow:
    name: str
    conversations: tuple[Turn, ...]
    image: ImageItem | None


@dataclass(frozen=True, kw_only=True)
class BenchmarkItem:
    name: str
    prompt: str
    answer: str | None
    kind: str
    truth: Mapping[str, Any]
    image: ImageItem | None


@dataclass(frozen=True, kw_only=True)
class BenchmarkHeader:
    """First line of a benchmark manifest."""

    benchmark: str
    scorer: str
    version: int | str


@dataclass(frozen=True, kw_only=True)
class Pair:
    id: str
    index: int
    image: ImageItem | ImageRef
    """An imported pair's image comes whole: there is no manifest of images beside it."""
    prompt: str
    chosen: str
    rejected: str
    made_by: str
    """"misleading_prompt", the corruption's name, or "imported"."""
    rejected_prompt: str
    corrupted_image: str | None
    corruption_parameters: Mapping[str, float]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the stage-1 model said about the image of instruction row ``name``."""

    name: str
    image: ImageRef
    prompt: str
    description: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class InfusedRow:
    name: str
    image: ImageRef | None
    conversations: tuple[Turn, ...]


Record = ImageItem | InstructionRow | BenchmarkHeader | BenchmarkItem | Pair | Description | InfusedRow
_R = TypeVar("_R", ImageItem, InstructionRow, BenchmarkHeader, BenchmarkItem, Pair, Description, InfusedRow)


def to_line(record: Record | Mapping[str, Any]) -> str:
    """The record's line, without the line end."""
    return json.dumps(to_json(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_json(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists, a turn's ``sender`` as "from"."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        rename = {"sender": "from"} if isinstance(value, Turn) else {}
        return {rename.get(field.name, field.name): to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def write_rows(path: Path, rows: Iterable[Record | Mapping[str, Any]]) -> int:
    """Writes one line per row and returns how many."""
    count = 0
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(to_line(row) + "\n")
            count += 1
    return count


def read_rows(path: Path, kind: type[_R]) -> Iterator[_R]:
    """The rows of a file, one at a time. StageError DATA_INVALID names file, line and field."""
    with open(path, encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            yield _parse(line, kind, path, number)


def read_chosen(path: Path, kind: type[_R], choose: Callable[[int], list[int]], *, skip: int = 0) -> tuple[int, list[_R]]:
    """How many rows a file has after its first ``skip``, and those that ``choose`` picks of that many: the others are not parsed."""
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = file.readlines()[skip:]
    return len(lines), [_parse(lines[index], kind, path, index + skip + 1) for index in choose(len(lines))]


def read_benchmark(path: Path) -> tuple[BenchmarkHeader, list[BenchmarkItem]]:
    """Header and items of a benchmark manifest."""
    with open(path, encoding="utf-8", newline="\n") as file:
        header = _parse(file.readline(), BenchmarkHeader, path, 1)
        items = [_parse(line, BenchmarkItem, path, number) for number, line in enumerate(file, start=2)]
    return header, items


def _parse(line: str, kind: type[_R], path: Path, number: int) -> _R:
    where = f"{path.name}:{number}"
    try:
        fields = json.loads(line)
        if isinstance(fields, dict) and isinstance(fields.get("conversations"), list):
            fields["conversations"] = [_turn(turn) for turn in fields["conversations"]]
        return decode(kind, fields)
    except DecodeError as error:
        raise StageError("DATA_INVALID", f"{where}: {error.field} {error.reason}", str(path)) from error
    except json.JSONDecodeError as error:
        raise StageError("DATA_INVALID", f"{where}: not JSON: {error}", str(path)) from error


def _turn(turn: object) -> object:
    return {("sender" if key == "from" else key): value for key, value in turn.items()} if isinstance(turn, dict) else turn
