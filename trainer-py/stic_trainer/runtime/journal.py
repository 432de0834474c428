"""A job's events on disk: one proto-JSON JobEvent per line, numbered from 1 without gaps, written before anything is sent.

One process appends at a time (the worker; the sidecar before it starts and after it is gone); any number read. A crash can
tear the last line only: a reader stops before it and the next writer cuts it off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

TERMINAL = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_LOST"})


class Journal:
    """Appends to ``path``, going on after the last whole line."""

    def __init__(self, path: Path) -> None:
        last, end = _scan(path)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the journal
        self._file.truncate(end)
        self.seq = last["seq"] if last else 0
        self.terminal = bool(last and last["terminal"])

    def append(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> int:
        """Writes one event (``kind`` is the oneof's field name) and returns its seq; ``durable`` waits for the disk."""
        if self.terminal:
            raise ValueError("the journal is closed by a terminal state")
        self.seq += 1
        event = {"seq": str(self.seq), "at": _now(), kind: body}
        self._file.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        if durable:
            os.fsync(self._file.fileno())
        self.terminal = kind == "state" and body.get("state") in TERMINAL
        return self.seq

    def close(self) -> None:
        self._file.close()


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


def last_state(path: Path) -> str:
    """The latest state in a journal; "" when it has none."""
    state, offset = "", 0
    while lines := read_lines(path, offset):
        offset = lines[-1].end
        for line in lines:
            if b'"state":' in line.text:
                state = json.loads(line.text).get("state", {}).get("state") or state
    return state


def _scan(path: Path) -> tuple[dict[str, Any] | None, int]:
    """Seq and terminality of the last whole line, and the offset after it."""
    last, offset = None, 0
    while lines := read_lines(path, offset):
        last, offset = lines[-1].text, lines[-1].end
    if last is None:
        return None, 0
    event = json.loads(last)
    return {"seq": int(event["seq"]), "terminal": event.get("state", {}).get("state") in TERMINAL}, offset


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
