"""Resumable checkpoints of a training stage: safetensors and JSON, written aside, synced and renamed; a name that exists is whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from stic_trainer.engine.engine import LocalEngine
from stic_trainer.errors import StageError

_EXTRA = "extra/"


def fingerprint(*parts: object) -> str:
    """Names everything a checkpoint depends on; parts are written as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class Checkpoints:
    """The checkpoints of one stage in ``folder``; only the newest is kept. ``mark`` is the stage's fingerprint."""

    def __init__(self, folder: Path, *, mark: str, every_steps: int) -> None:
        self._folder = folder
        self._mark = mark
        self._every = every_steps

    def restore(self, engine: LocalEngine) -> tuple[int, dict[str, Tensor]]:
        """The next step and the extra tensors of the newest checkpoint; (0, {}) without one.

        StageError CHECKPOINT_MISMATCH when it was made from other data or settings.
        """
        newest = self._existing()[-1:]
        if not newest:
            return 0, {}
        record = json.loads((newest[0] / "state.json").read_text("utf-8"))
        if record["fingerprint"] != self._mark:
            raise StageError(
                "CHECKPOINT_MISMATCH",
                "the checkpoint was made from other data or settings",
                str(newest[0]),
                "start a new run, or delete the stage's work folder to train from the beginning",
            )
        tensors = load_file(newest[0] / "state.safetensors")
        engine.restore(tensors)
        extra = {name[len(_EXTRA) :]: tensor for name, tensor in tensors.items() if name.startswith(_EXTRA)}
        return int(record["next_step"]), extra

    def is_due(self, next_step: int) -> bool:
        return next_step % self._every == 0

    def commit(self, engine: LocalEngine, *, next_step: int, extra: dict[str, Tensor]) -> None:
        if engine.rank != 0:
            return
        target = self._folder / f"step-{next_step:08d}"
        if target.exists():
            return
        aside = self._folder / f".tmp-{next_step:08d}-{os.getpid()}"
        aside.mkdir(parents=True)
        tensors = engine.state() | {f"{_EXTRA}{name}": tensor.cpu().contiguous() for name, tensor in extra.items()}
        save_file(tensors, aside / "state.safetensors")
        record = {"next_step": next_step, "fingerprint": self._mark, "torch": torch.__version__}
        (aside / "state.json").write_text(json.dumps(record, sort_keys=True) + "\n", "utf-8")
        for path in (*aside.iterdir(), aside):
            _sync(path)
        aside.rename(target)
        _sync(self._folder)
        for old in self._existing()[:-1]:
            shutil.rmtree(old)

    def _existing(self) -> list[Path]:
        return sorted(self._folder.glob("step-*")) if self._folder.is_dir() else []


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
