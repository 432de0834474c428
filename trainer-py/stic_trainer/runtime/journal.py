"""A job's events on disk: one proto-JSON JobEvent per line, numbered from 1 without gaps, written before anything is sent.

One process appends at a time (the worker; the sidecar before it starts and after it is gone); any number read. A crash can
tear the last line only: a reader stops before it and the next writer cuts it off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

TERMINAL = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_LOST"})


class JournalBusy(Exception):
    """Another process writes to this journal."""


class Journal:
    """Appends to ``path``, going on after the last whole line. JournalBusy while another process holds it."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the journal
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalBusy(str(path)) from None
        self.seq, self.terminal, self._end = _scan(path)
        self._file.truncate(self._end)

    def append(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> int:
        """Writes one event (``kind`` is the oneof's field name) and returns its seq; ``durable`` waits for the disk."""
        if self.terminal:
            raise ValueError("the journal is closed by a terminal state")
        event = {"seq": str(self.seq + 1), "at": _now(), kind: body}
        self._write(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")
        if durable:
            os.fsync(self._file.fileno())
        self.seq += 1
        self.terminal = kind == "state" and body.get("state") in TERMINAL
        return self.seq

    def close(self) -> None:
        self._file.close()

    def _write(self, line: bytes) -> None:
        """All of the line or, on a full disk, nothing."""
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError:
            self._file.truncate(self._end)
            raise
        self._end += len(line)


class Line(NamedTuple):
    """One whole line of a journal: its bytes without the line end, and the offset after it."""

    text: bytes
    end: int


def read_lines(path: Path, offset: int = 0, *, limit: int = 1 << 20) -> list[Line]:
    """Whole lines from ``offset`` on, about ``limit`` bytes of them; empty when there is nothing new."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read(limit)
            while data and b"\n" not in data and (more := file.read(limit)):
                data += more
    except FileNotFoundError:
        return []
    lines = []
    for text in data.split(b"\n")[:-1]:
        offset += len(text) + 1
        lines.append(Line(text, offset))
    return lines


def last_event(path: Path) -> tuple[dict[str, Any], int]:
    """The last whole event, read from the end, and the offset after it; ({}, 0) when there is none."""
    if not path.exists():
        return {}, 0
    size, block = path.stat().st_size, 1 << 16
    while True:
        start = max(0, size - block)
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read(size - start)
        end = data.rfind(b"\n")
        begin = data.rfind(b"\n", 0, end) + 1 if end > 0 else 0
        if begin > 0 or start == 0:
            return (json.loads(data[begin:end]), start + end + 1) if end > 0 else ({}, 0)
        block *= 8


def is_closed(path: Path) -> bool:
    """Whether a terminal state is the journal's last word."""
    return _scan(path)[1]


def _scan(path: Path) -> tuple[int, bool, int]:
    """Seq of the last whole line, whether it is terminal, and the offset after it; (0, False, 0) for an empty journal."""
    event, end = last_event(path)
    return int(event.get("seq", 0)), event.get("state", {}).get("state") in TERMINAL, end


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
