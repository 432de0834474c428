"""Reading a JSON list, or JSON lines, element by element: files of gigabytes in little memory, errors by line and column."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stic_trainer.errors import StageError

_CHUNK = 1 << 20
_LONGEST = 64 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
# An error this close to the end of what was read may only mean that the rest is not there yet.
_TAIL = 16
_HINT = "Nothing was imported. Correct the file and import it again."

_UNPACK, _CONVERT = "Unpack it first.", "Convert it to JSON or JSON lines first."
# How files begin that are often taken for JSON, what they are, and what to do.
_NO_TEXT = (
    (codecs.BOM_UTF16_LE, "UTF-16 text", "Save it as UTF-8."),
    (codecs.BOM_UTF16_BE, "UTF-16 text", "Save it as UTF-8."),
    (b"\x1f\x8b", "compressed with gzip", _UNPACK),
    (b"BZh", "compressed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"PAR1", "a Parquet file", _CONVERT),
    (b"ARROW1", "an Arrow file", _CONVERT),
    (b"version https://git-lfs.github.com/spec", "a Git LFS pointer in place of the file", "Fetch the file with `git lfs pull`."),
)


def read_elements(path: Path) -> Iterator[Any]:
    """Elements of the top-level list, or the top-level values one after the other (JSON lines).

    StageError DATA_INVALID names the file and the line and column of what does not parse.
    """
    reader = _Reader(path)
    if not reader.skip_space():
        raise StageError("DATA_INVALID", f"{path.name} is empty", str(path))
    if reader.peek() != "[":
        while reader.skip_space():
            yield reader.value()
        return
    reader.take()
    reader.skip_space()
    if reader.peek() == "]":
        reader.take()
    else:
        while True:
            yield reader.value()
            reader.skip_space()
            end = reader.peek()
            if end not in (",", "]"):
                raise reader.error("the file ends inside the list" if not end else "expected ',' or ']' after an element")
            reader.take()
            if end == "]":
                break
            reader.skip_space()
    if reader.skip_space():
        raise reader.error("there is text after the end of the list")


def open_text(path: Path) -> IO[str]:
    """The file as UTF-8 text. StageError DATA_INVALID when it cannot be read or plainly is something else."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
        for start, what, remedy in _NO_TEXT:
            if head.startswith(start):
                raise StageError("DATA_INVALID", f"{path.name} is {what}, not UTF-8 text", str(path), remedy)
        if b"\x00" in head:
            raise StageError("DATA_INVALID", f"{path.name} is binary data or UTF-16 text, not UTF-8 text", str(path), _HINT)
        return open(path, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise StageError("DATA_INVALID", f"{path.name} cannot be read: {error.strerror}", str(path)) from error


@contextmanager
def text_errors(path: Path) -> Iterator[None]:
    """Reading the file within: a byte that is not UTF-8 becomes a StageError DATA_INVALID with its line."""
    try:
        yield
    except UnicodeDecodeError as error:
        line, byte = _undecodable(path)
        message = f"{path.name} is not UTF-8 text: line {line} holds the byte 0x{byte:02X}"
        raise StageError("DATA_INVALID", message, str(path), "Save the file as UTF-8 and import it again.") from error


def _undecodable(path: Path) -> tuple[int, int]:
    """Line and value of the first byte that is not UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with open(path, "rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n"), error.object[error.start]
            if not chunk:
                raise AssertionError("all of the file is UTF-8")


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_text(path)
        self._text = ""
        self._at = 0
        self._line = 1
        self._column = 1
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode

    def skip_space(self) -> bool:
        """Moves to the next character that is not white space; False when there is none."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._move(space.end() - self._at if space else 0)
            if self._at < len(self._text):
                return True
            if not self._more():
                return False

    def peek(self) -> str:
        """The next character; "" at the end."""
        if self._at >= len(self._text):
            self._more()
        return self._text[self._at : self._at + 1]

    def take(self) -> None:
        self._move(1)

    def value(self) -> Any:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
                if end < len(self._text) or self._ended:
                    self._move(end - self._at)
                    return value
            except json.JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _TAIL
                if unfinished and len(self._text) - self._at > _LONGEST:
                    raise self.error(f"the element is longer than {_LONGEST >> 20} MiB") from None
                if self._ended or not unfinished:
                    self._move(min(error.pos, len(self._text)) - self._at)
                    raise self.error(error.msg) from None
            except ValueError as error:  # a whole number of thousands of digits
                raise self.error(str(error)) from None
            except RecursionError:
                raise self.error("the element is nested too deeply") from None
            self._more()

    def error(self, what: str) -> StageError:
        message = f"{self._path.name} is not valid JSON: {what}, line {self._line} column {self._column}"
        return StageError("DATA_INVALID", message, str(self._path), _HINT)

    def _move(self, count: int) -> None:
        passed = self._text[self._at : self._at + count]
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") if lines else self._column + len(passed)
        self._at += count

    def _more(self) -> bool:
        """Reads on, twice as much while one element does not fit; False at the end of the file."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        with text_errors(self._path):
            chunk = self._file.read(max(_CHUNK, len(kept)))
        self._text, self._at = kept + chunk, 0
        self._ended = not chunk
        if self._ended:
            self._file.close()
        return not self._ended
