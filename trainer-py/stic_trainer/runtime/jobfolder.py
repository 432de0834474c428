"""The files of one job, shared by the sidecar that starts it and the worker that runs it (docs/reference/artifacts.md)."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_job_id(text: str) -> bool:
    """Whether ``text`` can name a job folder."""
    return _JOB_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class JobFolder:
    path: Path

    @property
    def job_id(self) -> str:
        return self.path.name

    @property
    def request(self) -> Path:
        return self.path / "request.pb"

    @property
    def job(self) -> Path:
        return self.path / "job.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "worker.log"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def pid(self) -> Path:
        """Written by the worker before anything else; see ``ProcessId``."""
        return self.path / "pid"

    def helper(self, rank: int) -> Path:
        """What a further process of the job writes for itself, ``error.json`` included. Gone once it has ended well."""
        return self.path / f"rank-{rank}"

    @property
    def cancel(self) -> Path:
        """Exists once a cancel was asked for: a stop then means CANCELLED and not LOST."""
        return self.path / "cancel"


@dataclass(frozen=True)
class ProcessId:
    """A process that can be told from a later one with the same pid."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """None when there is no such process, or only its zombie."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def read(cls, path: Path) -> ProcessId | None:
        """None when the file is absent, torn or unreadable."""
        try:
            fields = json.loads(path.read_text("utf-8"))
            return cls(int(fields["pid"]), str(fields["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps({"pid": self.pid, "started": self.started}), "utf-8")
        draft.replace(path)

    def alive(self) -> bool:
        return _started(self.pid) == self.started


def _started(pid: int) -> str | None:
    """When a process started: clock ticks since boot where /proc has them (clock changes do not move them), else seconds."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return None if stat[0] in "ZX" else stat[19]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
