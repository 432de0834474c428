"""``python -m stic_trainer import``: judges a source, fills the store and says what it finds as JSON lines on stdout.

Lines are ImportDatasetEvents in proto JSON; a last line ``{"failure": {...}}`` says why the whole import failed. Threads are
enough: decoding, hashing and resizing release the interpreter's lock, and nothing is left behind when the process is killed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from stic_trainer.data.import_benchmark import import_benchmark
from stic_trainer.data.import_images import import_images
from stic_trainer.data.import_instructions import import_instructions
from stic_trainer.data.import_preferences import import_preferences
from stic_trainer.data.import_task import Import
from stic_trainer.errors import StageError
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.store import Store


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    kind: str
    """images, instructions or benchmark."""
    source: Path
    image_root: Path | None = None
    """instructions: the folder that image paths are relative to; None for the file's own."""
    image_list: Path | None = None
    """images: the file that names those to take; None for all."""
    private: tuple[Path, ...] = ()
    """Folders, beside the store, that no link may lead into."""


def import_dataset(request: ImportRequest, store_root: Path, out: IO[str] = sys.stdout) -> int:
    """Imports the request's source; 0 once the manifest is in the store, 1 after a ``failure`` line."""
    try:
        result = _import(request, Store(store_root), out)
        out.write(json.dumps({"result": result}) + "\n")
    except BrokenPipeError:  # nobody listens any more
        return 1
    except Exception as error:
        if not isinstance(error, StageError):
            traceback.print_exc()
        out.write(json.dumps({"failure": job_error(error, store_root)}) + "\n")
        return 1
    finally:
        out.flush()
    return 0


def _import(request: ImportRequest, store: Store, out: IO[str]) -> dict[str, Any]:
    kind, source = request.kind, request.source
    for path in filter(None, (source, request.image_root, request.image_list)):
        if not path.is_absolute():
            raise StageError("DATA_INVALID", "the path is not absolute", str(path), "Give the whole path, from the root on.")
    threads = min(os.cpu_count() or 1, 16)
    with ExitStack() as stack:
        manifest = stack.enter_context(tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=store.root / "tmp"))
        pool = ThreadPoolExecutor(threads)
        stack.callback(pool.shutdown, cancel_futures=True)
        task = Import(store, request.private, manifest, out, pool, threads)
        if kind == "images":
            import_images(source, request.image_list, task)
        elif kind == "instructions":
            import_instructions(source, request.image_root, task)
        elif kind == "preferences":
            import_preferences(source, request.image_root, task)
        else:
            import_benchmark(source, task)
        if task.items == 0:
            raise _nothing(kind, source, task.skipped)
        manifest.flush()
        os.sync()  # the renames of all blobs, before the one name that stands for them
        sha256, _ = store.put_blob_file(Path(manifest.name))
    return {
        "manifest_sha256": sha256,
        "items": task.items,
        "skipped": task.skipped,
        "bytes": str(task.bytes),
        "benchmark": task.benchmark,
        "duplicates": task.duplicates,
        "repeats": task.repeats,
    }


def _nothing(kind: str, source: Path, skipped: int) -> StageError:
    what = {"images": "images", "instructions": "rows", "benchmark": "items", "preferences": "pairs"}[kind]
    if skipped:
        return StageError(
            "DATA_INVALID", f"none of the {skipped} {what} can be used", str(source), "The problems listed say why, one by one."
        )
    return StageError("DATA_INVALID", f"there are no {what} in it", str(source))
