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

from google.protobuf import json_format

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.errors import StageError
from stic_trainer.sidecar.supervisor import worker_environment

_KINDS = {
    pb.DATASET_KIND_IMAGES: "images",
    pb.DATASET_KIND_INSTRUCTIONS: "instructions",
    pb.DATASET_KIND_BENCHMARK: "benchmark",
    pb.DATASET_KIND_PREFERENCES: "preferences",
}
_LONGEST_LINE = 1 << 24


async def run_import(request: pb.ImportDatasetRequest, store: Path, log: Path) -> AsyncIterator[pb.ImportDatasetEvent]:
    """The import's events. StageError when the import as a whole fails; leaving the iterator ends the process."""
    if request.kind not in _KINDS:
        raise StageError("DATA_INVALID", "kind must be images, instructions, benchmark or preferences", "kind")
    command = [sys.executable, "-m", "stic_trainer", "import", _KINDS[request.kind], request.source, "--store", str(store)]
    for private in filter(None, (str(log.parent), os.environ.get("STIC_STATE"))):
        command += ["--private", private]
    if request.image_root:
        command += ["--image-root", request.image_root]
    if request.image_list:
        command += ["--image-list", request.image_list]
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
                raise StageError(**fields["failure"])
            yield json_format.ParseDict(fields, pb.ImportDatasetEvent())
            finished = finished or "result" in fields
        if not finished:
            code = await process.wait()
            raise StageError("INTERNAL", f"the import ended with exit code {code} and no result", request.source, f"See {log.name}.")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
