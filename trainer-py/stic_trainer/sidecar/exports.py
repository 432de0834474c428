"""ExportCheckpoint: the merge and its check run in a process of its own, on the CPU."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from google.protobuf import json_format

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.errors import StageError
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar.commands import run_command
from stic_trainer.sidecar.models import Models

_DTYPES = ("", "float32", "bfloat16", "float16")


async def run_export(
    request: pb.ExportCheckpointRequest, store: Store, models: Models, log: Path
) -> AsyncIterator[pb.ExportCheckpointEvent]:
    """The export's events. StageError when it fails; leaving the iterator ends the process."""
    if request.dtype not in _DTYPES:
        raise StageError("CONFIG_INVALID", f"dtype {request.dtype!r} is not float32, bfloat16 or float16", "dtype")
    adapter, path = store.tree(request.adapter_sha256), request.model.path
    facts = await asyncio.to_thread(models.inspect, path)
    if request.model.digest and facts.digest != request.model.digest:
        raise StageError(
            "MODEL_INVALID",
            f"the folder holds another model (digest {facts.digest[:12]}) than the adapter was trained on ({request.model.digest[:12]})",
            path,
            "Put the model of the run back into this folder.",
        )
    arguments = [
        "export",
        "--model",
        path,
        "--adapter",
        str(adapter),
        "--store",
        str(store.root),
        "--about",
        json.dumps(dict(request.about)),
    ]
    if request.dtype:
        arguments += ["--dtype", request.dtype]
    async with aclosing(run_command(arguments, subject=path, log=log)) as events:  # type: ignore[type-var]
        async for fields in events:
            yield json_format.ParseDict(fields, pb.ExportCheckpointEvent())
