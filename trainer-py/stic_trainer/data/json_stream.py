"""Reading a JSON list, or JSON lines, element by element: files of gigabytes in little memory, errors by line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError

_CHUNK = 1 << 20
_LONGEST = 64 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
# An error this close to the end of what was read may only mean that the rest is not there yet.
_TAIL = 16


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


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open(path, encoding="utf-8-sig", newline="")  # noqa: SIM115 - as long as the iteration
        except OSError as error:
            raise StageError("DATA_INVALID", f"{path.name} cannot be read: {error.strerror}", str(path)) from error
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
        return StageError("DATA_INVALID", message, str(self._path), "Nothing was imported. Correct the file and import it again.")

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
        try:
            chunk = self._file.read(max(_CHUNK, len(kept)))
        except UnicodeDecodeError as error:
            self._move(len(kept))
            raise self.error(f"the file is not UTF-8 text ({error.reason}) after") from error
        self._text, self._at = kept + chunk, 0
        self._ended = not chunk
        if self._ended:
            self._file.close()
        return not self._ended
