"""One import under way: the manifest being written, what is counted, and the threads that read images."""

from __future__ import annotations

import functools
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

from stic_trainer.data.folder import Folder, allowed_roots
from stic_trainer.data.ingest import Problem
from stic_trainer.data.records import Record, to_line
from stic_trainer.runtime.progress import RemainingTime
from stic_trainer.runtime.store import Store

_In = TypeVar("_In")
_Out = TypeVar("_Out")
_Draft = TypeVar("_Draft")

PROGRESS_SECONDS = 0.25
_AHEAD_PER_THREAD = 8
_NEITHER = re.compile("[\x00\ud800-\udfff]")


class Import:
    """``private``: folders that no link may lead into, whatever STIC_DATA_ROOTS allows."""

    def __init__(
        self, store: Store, private: Iterable[Path], manifest: IO[str], out: IO[str], pool: ThreadPoolExecutor, threads: int
    ) -> None:
        self.store = store
        self._allowed = allowed_roots()
        self._private = tuple(path.resolve() for path in (store.root, *private))
        self.benchmark = ""
        self.items = 0
        self.skipped = 0
        self.duplicates = 0
        self.repeats = 0
        self.bytes = 0
        self._manifest = manifest
        self._out = out
        self._pool = pool
        self._ahead = threads * _AHEAD_PER_THREAD
        self._unit, self._done, self._total = "", 0, 0
        self._remaining, self._sent = RemainingTime(), float("-inf")

    def folder(self, path: Path) -> Folder:
        """The folder ``path`` with the rules for what links in it may lead to."""
        return Folder(path.resolve(), self._allowed, self._private)

    def parallel(self, work: Callable[[_In], _Out], inputs: Iterable[_In]) -> Iterator[_Out]:
        """``work`` of each input, in order, with a bounded number of them ahead."""
        return (result for _, result in self.window((None, self._pool.submit(work, value)) for value in inputs))

    def once(self, work: Callable[[str], _Out]) -> Callable[[str], Future[_Out]]:
        """``work`` in the pool, once per distinct name: an image that many rows share is read once."""
        return functools.cache(lambda name: self._pool.submit(work, name))

    def window(self, drafts: Iterable[tuple[_Draft, Future[_Out] | None]]) -> Iterator[tuple[_Draft, Any]]:
        """The drafts in order, each with the result of its future (None without one)."""
        waiting: deque[tuple[_Draft, Future[_Out] | None]] = deque()
        for entry in drafts:
            waiting.append(entry)
            if len(waiting) > self._ahead:
                yield _settled(waiting.popleft())
        while waiting:
            yield _settled(waiting.popleft())

    def expect(self, total: int, unit: str) -> None:
        self._total, self._unit = total, unit
        self._send_progress()

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._sent >= PROGRESS_SECONDS or self._done == self._total:
            self._send_progress()

    def item(self, record: Record, size: int) -> None:
        self.line(record)
        self.items += 1
        self.bytes += size

    def line(self, record: Record) -> None:
        self._manifest.write(to_line(record) + "\n")

    def problem(self, problem: Problem) -> None:
        self.skipped += 1
        self.emit({"problem": {"name": _sendable(problem.name), "code": problem.code, "reason": _sendable(problem.reason)}})

    def emit(self, event: dict[str, Any]) -> None:
        self._out.write(json.dumps(event, ensure_ascii=True) + "\n")
        self._out.flush()

    def _send_progress(self) -> None:
        self._sent = time.monotonic()
        eta = round(self._remaining.eta_seconds(self._sent, self._done, self._total), 1)
        count = {"unit": self._unit, "done": self._done, "total": self._total, "eta_seconds": eta, "phase": "checking"}
        self.emit({"progress": count})


def _sendable(text: str) -> str:
    """The text without what neither protobuf nor Postgres takes: names of files and fields of JSON may hold anything."""
    return _NEITHER.sub("\ufffd", text)


def _settled(entry: tuple[_Draft, Future[_Out] | None]) -> tuple[_Draft, Any]:
    draft, future = entry
    return draft, None if future is None else future.result()
