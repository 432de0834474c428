"""Where a stage's events go: the journal under a sidecar, the terminal offline, nowhere in a process that only helps."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from stic_trainer.runtime.journal import Journal


class Sink(Protocol):
    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None: ...


class JournalSink:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        self._journal.append(kind, body, durable=durable)


class SilentSink:
    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        """Rank 0 reports it."""


class TerminalSink:
    """Prints what a person wants to see: progress on one line, the rest one line each. Names and texts cannot steer the terminal."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._open_line = False

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        if kind == "progress":
            left = f", {body['eta_seconds']:.0f} s left" if body["eta_seconds"] >= 0 else ""
            self._write(f"\r\x1b[K{_printable(body['phase'])} {body['done']}/{body['total']} {_printable(body['unit'])}{left}")
            self._open_line = True
            return
        if self._open_line:
            self._write("\n")
            self._open_line = False
        fields = " ".join(f"{key}={_printable(str(value))}" for key, value in body.items() if value not in ("", {}, None))
        self._write(f"{kind}: {fields}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _printable(text: str) -> str:
    """Each character that prints nothing, such as a control, as the escape that Python writes for it."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
