"""Commands of this package in processes that begin with their libraries loaded: this one loads them once and forks for each command.

The sidecar writes ``{"arguments", "stdin", "output", "log"}`` as a JSON line to standard input. The answers are JSON lines on
standard output: ``{"loaded": true}`` once, ``{"pid"}`` for each request in order, ``{"pid", "code"}`` when that process has ended.
A forked process has a session of its own, and outlives this one and the sidecar as a started one does.

A fork copies only the thread that calls it, and CUDA cannot be used in it where the parent has used CUDA. So this process keeps
to one thread and leaves the GPU alone. It exits when its sidecar has exited, or after half an hour without work.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from stic_trainer.config.job import StageKind

IDLE_SECONDS = 1800.0

Run = Callable[[list[str]], int]
"""A command by its arguments; its exit code."""


def serve(run: Run) -> int:
    """Forks for each request until the sidecar has gone; 0."""
    requests, answers = _take_pipes()
    _load()
    with contextlib.suppress(BrokenPipeError):
        _answer(answers, {"loaded": True})
        _serve(run, requests, answers)
    return 0


def _serve(run: Run, requests: int, answers: int) -> None:
    woken, waking = _wake_at_an_end()
    children: set[int] = set()
    rest = b""
    while True:
        readable, _, _ = select.select([requests, woken], [], [], None if children else IDLE_SECONDS)
        if not readable:
            return
        if woken in readable:
            os.read(woken, 4096)
            for pid, code in _ended(children):
                _answer(answers, {"pid": pid, "code": code})
        if requests in readable:
            chunk = os.read(requests, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    _become(run, (requests, answers, woken, waking), **json.loads(line))
                children.add(pid)
                _answer(answers, {"pid": pid})


def _take_pipes() -> tuple[int, int]:
    """The sidecar's ends of standard input and output, out of reach of what the libraries print."""
    requests, answers = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _wake_at_an_end() -> tuple[int, int]:
    """A pipe whose first end can be read when a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading, writing


def _load() -> None:
    """Imports what stages, inspections and measurements need."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # else NumPy starts threads when it is imported
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # whether there is a GPU can be asked without using CUDA
    for name in (*(f"stages.{kind}" for kind in StageKind), "modeling.inspection", "preflight.measure"):
        importlib.import_module(f"stic_trainer.{name}")
    del os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"]
    gc.collect()
    gc.freeze()  # a collection would write to every page, which a fork shares as long as nobody writes to it


def _ended(children: set[int]) -> list[tuple[int, int]]:
    """Children that have ended, with their exit codes as subprocess has them."""
    ended = []
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        children.discard(pid)
        ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def _answer(answers: int, fields: dict[str, Any]) -> None:
    os.write(answers, json.dumps(fields).encode() + b"\n")


def _become(run: Run, others: tuple[int, ...], *, arguments: list[str], stdin: str, output: str, log: str) -> None:
    """The child: lets go of the parent's pipes, does the command in a session of its own, and never returns."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            os.close(other)
        for number, path, mode in ((0, stdin, "rb"), (1, output, "ab"), (2, log, "ab")):
            with open(path, mode) as file:
                os.dup2(file.fileno(), number)
        if _cannot_use_cuda():
            os.execv(sys.executable, [sys.executable, "-m", "stic_trainer", *arguments])
        code = run(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _cannot_use_cuda() -> bool:
    """Whether a library has used CUDA in the parent: only a process started anew can then use it."""
    return bool(sys.modules["torch"].cuda._is_in_bad_fork())
