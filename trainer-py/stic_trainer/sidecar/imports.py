"""ImportDataset: the import runs in a process of its own, and its JSON lines become events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.errors import StageError
from stic_trainer.sidecar.supervisor import worker_environment

_KINDS = {
    pb.DATASET_KIND_IMAGES: "images",
    pb.DATASET_KIND_INSTRUCTIONS: "instructions",
    pb.DATASET_KIND_BENCHMARK: "benchmark",
}
_LONGEST_LINE = 1 << 24


def failure(fields: dict[str, Any], log: Path) -> StageError:
    """The error of a process whose standard error is ``log``."""
    return StageError(**{**fields, "hint": f"The traceback is in {log}."} if fields["code"] == "INTERNAL" else fields)


async def run_import(request: pb.ImportDatasetRequest, store: Path, log: Path) -> AsyncIterator[pb.ImportDatasetEvent]:
    """The import's events. StageError when the import as a whole fails; leaving the iterator ends the process."""
    if request.kind not in _KINDS:
        raise StageError("DATA_INVALID", "kind must be images, instructions or benchmark", "kind")
    command = [sys.executable, "-m", "stic_trainer", "import", _KINDS[request.kind], request.source, "--store", str(store)]
    if request.image_root:
        command += ["--image-root", request.image_root]
    with open(log, "ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
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
            fields = json.loads(line)
            if "failure" in fields:
                raise failure(fields["failure"], log)
            yield json_format.ParseDict(fields, pb.ImportDatasetEvent())
            finished = finished or "result" in fields
        if not finished:
            code = await process.wait()
            raise StageError("INTERNAL", f"the import ended with exit code {code} and no result", request.source, f"See {log.name}.")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
