"""``python -m stic_trainer export``: makes a merged folder, or a merged tree of the store, and prints events as JSON lines.

Lines are ExportCheckpointEvents in proto JSON; a last line ``{"failure": {...}}`` says why there is no result. Nothing has the
final name before it is checked, so the process may be killed at any time.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import IO, Any

from stic_trainer.errors import StageError
from stic_trainer.export.card import model_card
from stic_trainer.export.merge import DTYPES, merge_adapter
from stic_trainer.export.verify import verify_merged
from stic_trainer.modeling.adapters import model_name
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.store import Store, digest_of_lines, file_sha256, tree_files

PROGRESS_SECONDS = 0.25


class _Events:
    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._sent = float("-inf")

    def emit(self, event: dict[str, Any]) -> None:
        self._out.write(json.dumps(event, ensure_ascii=True) + "\n")
        self._out.flush()

    def written(self, done: int, total: int) -> None:
        """Bytes; sent as megabytes, at most 4 times a second and once at the end."""
        if done == total or time.monotonic() - self._sent >= PROGRESS_SECONDS:
            self._sent = time.monotonic()
            self.emit({"progress": {"phase": "merging", "unit": "MB", "done": done // 10**6, "total": total // 10**6, "eta_seconds": -1}})

    def phase(self, text: str) -> None:
        self.emit({"progress": {"phase": text, "eta_seconds": -1}})


def export_checkpoint(options: argparse.Namespace, out: IO[str] = sys.stdout) -> int:
    """0 once the folder or tree is there, 1 after a ``failure`` line. options: of the command line."""
    place: Path = options.store or options.out.absolute().parent
    events = _Events(out)
    try:
        events.emit({"result": _export(options, place, events)})
    except BrokenPipeError:  # the reader has gone
        return 1
    except Exception as error:
        if not isinstance(error, StageError):
            traceback.print_exc()
        events.emit({"failure": job_error(error, place)})
        return 1
    return 0


def _export(options: argparse.Namespace, place: Path, events: _Events) -> dict[str, Any]:
    base = resolve_model(str(options.model))
    adapter: Path = options.adapter
    for folder, what in ((base, "config.json"), (adapter, "adapter_config.json"), (adapter, "adapter_model.safetensors")):
        if not (folder / what).is_file():
            raise StageError("MODEL_INVALID", f"the folder has no {what}", str(folder))
    if options.out is not None and options.out.exists():
        raise StageError("CONFIG_INVALID", "the folder exists already", str(options.out), "name one that does not exist yet")
    store = Store(options.store) if options.store else None
    if store:
        needed = 2 * sum(file.stat().st_size for file in base.glob("*.safetensors"))
        store.require_space(needed)  # the draft and the store's own copy of it
    with tempfile.TemporaryDirectory(prefix=".export-", dir=place / "tmp" if store else place) as scratch:
        draft = Path(scratch) / "merged"
        dtype = DTYPES[options.dtype] if options.dtype else None
        stored = merge_adapter(
            base, adapter, draft, dtype=dtype, max_shard_bytes=int(options.max_shard_size * 10**9), on_progress=events.written
        )
        events.phase("comparing logits with the adapter's")
        found = verify_merged(base, adapter, draft, Path(scratch), stored=stored, all_weights=dtype is not None)
        adapter_sha256 = digest_of_lines([f"{file_sha256(file)}  {name}\n" for name, file in tree_files(adapter)])
        card = model_card(model_name(str(options.model)), json.loads(options.about), found, adapter_sha256=adapter_sha256)
        (draft / "README.md").write_text(card, "utf-8")
        measured = {"largest_difference": found.largest, "effect": found.effect, "dtype": found.dtype}
        if store is None:
            shutil.move(draft, options.out)
            return measured
        events.phase("writing to the store")
        sha256, size = store.put_tree(draft)
        return {"sha256": sha256, "bytes": str(size), **measured}
