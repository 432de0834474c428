"""Inspection of a model folder with the libraries, in a process of its own: ``python -m stic_trainer inspect``.

The process prints one JSON line: the fields of InspectModelResponse that it knows, or ``{"failure": {...}}``. Reports are kept by the
folder's digest and the versions of the libraries.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from stic_trainer.errors import StageError
from stic_trainer.runtime.failures import job_error
from stic_trainer.sidecar import host
from stic_trainer.sidecar.fork_server import ForkServer

DEADLINE_SECONDS = 200.0
"""Below the server's deadline for InspectModel. Most of the time is the import of the libraries."""


def print_inspection(folder: Path, out: IO[str] = sys.stdout) -> int:
    """The child: prints the folder's report or failure as one line; 0 for a report."""
    try:
        # The sidecar imports this module too, and must not load torch.
        from dataclasses import asdict

        from stic_trainer.modeling.inspection import inspect_model

        fields = asdict(inspect_model(folder))
    except Exception as error:
        if not isinstance(error, StageError):
            traceback.print_exc()
        fields = {"failure": job_error(error, folder)}
    print(json.dumps(fields), file=out, flush=True)
    return 1 if "failure" in fields else 0


class Inspections:
    """Reports in ``folder``, one file each; one inspection at a time, and none twice for the same content."""

    def __init__(self, folder: Path, fork_server: ForkServer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fork_server = fork_server
        self._versions = json.dumps([host.package_version(), host.versions()], sort_keys=True)
        self._one = asyncio.Lock()

    async def report(self, model: Path, digest: str) -> dict[str, Any]:
        """Fields of InspectModelResponse. StageError MODEL_INVALID or MODEL_UNSUPPORTED says what is wrong with the folder."""
        kept = self._folder / f"{hashlib.sha256(f'{digest} {self._versions}'.encode()).hexdigest()}.json"
        async with self._one:
            with contextlib.suppress(FileNotFoundError, ValueError):
                fields: dict[str, Any] = json.loads(kept.read_text("utf-8"))
                return fields
            fields = await self._fork_server.ask("inspect", str(model), subject=str(model), seconds=DEADLINE_SECONDS)
            draft = kept.with_suffix(".tmp")
            draft.write_text(json.dumps(fields), "utf-8")
            draft.replace(kept)
            return fields
