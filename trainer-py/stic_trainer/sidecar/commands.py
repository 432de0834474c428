"""Work beside jobs: a command of this package in a process of its own, whose JSON lines become events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.sidecar.environment import worker_environment

_LONGEST_LINE = 1 << 24


def failure(fields: dict[str, Any], log: Path) -> StageError:
    """The error of a process whose standard error is ``log``."""
    return StageError(**{**fields, "hint": f"The traceback is in {log}."} if fields["code"] == "INTERNAL" else fields)


async def run_command(arguments: Sequence[str], *, subject: str, log: Path) -> AsyncIterator[dict[str, Any]]:
    """The command's events up to the one with ``result``. StageError when it fails; leaving the iterator ends the process."""
    with open(log, "ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stic_trainer", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=_LONGEST_LINE,
            start_new_session=True,
            env=worker_environment(),
        )
    assert process.stdout is not None
    finished = False
    try:
        async for line in process.stdout:
            fields: dict[str, Any] = json.loads(line)
            if "failure" in fields:
                raise failure(fields["failure"], log)
            yield fields
            finished = finished or "result" in fields
        if not finished:
            code = await process.wait()
            raise StageError("INTERNAL", f"the {arguments[0]} ended with exit code {code} and no result", subject, f"See {log.name}.")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
