"""ImportDataset: the import runs in a process of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from google.protobuf import json_format

from stic.common.v1 import common_pb2 as common
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.errors import StageError
from stic_trainer.sidecar.commands import run_command

_KINDS = {
    common.DATASET_KIND_IMAGES: "images",
    common.DATASET_KIND_INSTRUCTIONS: "instructions",
    common.DATASET_KIND_BENCHMARK: "benchmark",
    common.DATASET_KIND_PREFERENCES: "preferences",
}


async def run_import(request: pb.ImportDatasetRequest, store: Path, log: Path) -> AsyncIterator[pb.ImportDatasetEvent]:
    """The import's events. StageError when the import as a whole fails; leaving the iterator ends the process."""
    if request.kind not in _KINDS:
        raise StageError("DATA_INVALID", "kind must be images, instructions, benchmark or preferences", "kind")
    arguments = ["import", _KINDS[request.kind], request.source, "--store", str(store)]
    for private in filter(None, (str(log.parent), os.environ.get("STIC_STATE"))):
        arguments += ["--private", private]
    if request.image_root:
        arguments += ["--image-root", request.image_root]
    if request.image_list:
        arguments += ["--image-list", request.image_list]
    async with aclosing(run_command(arguments, subject=request.source, log=log)) as events:  # type: ignore[type-var]
        async for fields in events:
            yield json_format.ParseDict(fields, pb.ImportDatasetEvent())
