"""The sidecar's side of runtime/fork_server.py: starts it when there is work, again when it has ended, and knows its children."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.runtime.jobfolder import ProcessId
from stic_trainer.sidecar.commands import failure
from stic_trainer.sidecar.environment import worker_environment

_POLL_SECONDS = 0.02
_FORK_SECONDS = 5.0
"""A fork takes milliseconds; a fork server that needs longer is stopped or stuck."""


class Child:
    """A process that the fork server has forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.identity = ProcessId.of(pid)
        self.returncode: int | None = None
        self.orphaned = False
        """The fork server ended first: nobody learns the exit code."""

    def poll(self) -> int | None:
        return self.returncode


class _Process:
    """One life of the fork server. A thread reads its answers."""

    def __init__(self, log: Path) -> None:
        with open(log, "ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stic_trainer", "fork-server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                env=worker_environment(),
            )
        self.loaded = self.ended = False
        self._forked: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        self._children: dict[int, Child] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def fork(self, request: dict[str, Any]) -> Child | None:
        """None when it has ended or does not answer."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            child = self._forked.get(timeout=_FORK_SECONDS)
        except (OSError, queue.Empty):
            child = None
        if child is None:
            self.end()
        return child

    def end(self) -> None:
        self.ended = True
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._hear(json.loads(line))
        self.ended = True
        for child in self._children.values():
            child.orphaned = True
        self._forked.put(None)
        self._process.wait()

    def _hear(self, answer: dict[str, Any]) -> None:
        if "loaded" in answer:
            self.loaded = True
        elif "code" in answer:
            self._children.pop(answer["pid"]).returncode = answer["code"]
        else:
            child = self._children[answer["pid"]] = Child(answer["pid"])
            self._forked.put(child)


class ForkServer:
    """Forks commands, with the fork server's log in ``folder``. Without one that works, ``fork`` returns None."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.log = folder / "fork-server.log"
        self._process: _Process | None = None

    def is_loading(self) -> bool:
        """Whether a command would have to wait for the libraries. Starts to load them when they are not loaded."""
        if self._process is None or (self._process.ended and self._process.loaded):
            self._process = _Process(self.log)
        if self._process.ended:  # it cannot load them; the next command tries again
            self._process = None
            return False
        return not self._process.loaded

    def fork(self, arguments: Sequence[str], *, output: Path, log: Path, stdin: Path = Path(os.devnull)) -> Child | None:
        """Starts ``python -m stic_trainer <arguments>`` with its standard output and error appended to files."""
        if self._process is None:
            return None
        return self._process.fork({"arguments": [*arguments], "stdin": str(stdin), "output": str(output), "log": str(log)})

    async def ask(self, *arguments: str, text: str = "", subject: str, seconds: float) -> dict[str, Any]:
        """The JSON object that a command prints when it gets ``text`` as input. StageError when it fails or takes longer."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            stdin, output = Path(folder, "stdin"), Path(folder, "output")
            stdin.write_text(text, "utf-8")
            try:
                async with asyncio.timeout(seconds):
                    code = await self._run(arguments, stdin, output)
            except TimeoutError:
                message = f"the command {arguments[0]} was ended after {seconds:.0f} s"
                raise StageError("INTERNAL", message, subject, f"Try again when the machine is less busy; see {self.log}.") from None
            try:
                fields: dict[str, Any] = json.loads(output.read_bytes().splitlines()[-1])
            except (OSError, ValueError, IndexError):
                message = f"the command {arguments[0]} ended with exit code {code} and no result"
                raise StageError("INTERNAL", message, subject, f"See {self.log}.") from None
        if "failure" in fields:
            raise failure(fields["failure"], self.log)
        return fields

    async def _run(self, arguments: Sequence[str], stdin: Path, output: Path) -> int | None:
        """Exit code of the command; None when the fork server could not start it, or ended before it."""
        while self.is_loading():
            await asyncio.sleep(_POLL_SECONDS)
        child = self.fork(arguments, stdin=stdin, output=output, log=self.log)
        if child is None:
            return None
        try:
            while child.poll() is None and not child.orphaned:
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        return child.returncode

    def close(self) -> None:
        """Ends the process; its children go on."""
        if self._process is not None:
            self._process.end()
