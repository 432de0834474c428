"""Resumable checkpoints of a training stage: safetensors and JSON, written aside, synced and renamed; a name that exists is whole.

Before one is taken up, everything it depends on is compared with the stage's own, and what differs is said.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stic_trainer.data.records import to_json
from stic_trainer.engine.engine import LocalEngine
from stic_trainer.errors import StageError

_EXTRA = "extra/"
_MOMENTS = ("step/", "mean/", "square/")
_SHOWN = 4
"""Differences named in an error; the rest are counted."""


class Checkpoints:
    """The checkpoints of one stage in ``folder``; only the newest is kept.

    made_from: by name, all that a checkpoint depends on (dataclasses, numbers, texts), kept beside it as JSON.
    """

    def __init__(self, folder: Path, *, made_from: Mapping[str, object], every_steps: int) -> None:
        self._folder = folder
        self._made_from: dict[str, Any] = json.loads(json.dumps(to_json(made_from)))
        self._every = every_steps

    def restore(self, engine: LocalEngine) -> tuple[int, dict[str, Tensor]]:
        """The next step and the extra tensors of the newest checkpoint; (0, {}) without one.

        StageError CHECKPOINT_MISMATCH names what differs: settings, data, adapter, optimizer or random state.
        """
        newest = self._existing()[-1:]
        if not newest:
            return 0, {}
        folder = newest[0]
        record, tensors = _read(folder)
        differences = list(_differences(record.get("made_from"), self._made_from))
        differences += _tensor_differences(tensors, engine.state())
        if differences:
            raise _mismatch(folder, differences)
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
        record = {"next_step": next_step, "made_from": self._made_from, "torch": torch.__version__}
        (aside / "state.json").write_text(json.dumps(record, sort_keys=True, indent=2) + "\n", "utf-8")
        for path in (*aside.iterdir(), aside):
            _sync(path)
        aside.rename(target)
        _sync(self._folder)
        for old in self._existing()[:-1]:
            shutil.rmtree(old)

    def _existing(self) -> list[Path]:
        return sorted(self._folder.glob("step-*")) if self._folder.is_dir() else []


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        record: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
        return record, load_file(folder / "state.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise _mismatch(folder, [f"it cannot be read: {error}"]) from error


def _differences(then: object, now: object, name: str = "") -> Iterator[str]:
    """In words, leaf by leaf: "config.beta was 0.1 and is 0.2"."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            yield from _differences(then.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif then != now:
        yield f"{name or 'what it was made from'} was {_shown(then)} and is {_shown(now)}"


def _tensor_differences(saved: dict[str, Tensor], own: dict[str, Tensor]) -> list[str]:
    """Weights by name and shape, each with its optimizer state, and the random state."""
    found: list[str] = []
    weights = {name: tensor for name, tensor in own.items() if name.startswith("weight/")}
    for name in sorted({*weights, *(name for name in saved if name.startswith("weight/"))}):
        short = name.removeprefix("weight/")
        if name not in saved or name not in weights:
            found.append(
                f"the adapter {'lacks' if name not in saved else 'has'} {short}, which the run's {'has' if name in weights else 'lacks'}"
            )
        elif saved[name].shape != weights[name].shape:
            found.append(f"the adapter's {short} was {tuple(saved[name].shape)} and is {tuple(weights[name].shape)}")
        elif any(f"{moment}{short}" not in saved for moment in _MOMENTS):
            found.append(f"the optimizer's state of {short} is missing")
    if "random" not in saved or saved["random"].shape != own["random"].shape:
        found.append("the random generator's state is missing or another generator's")
    return found


def _mismatch(folder: Path, differences: list[str]) -> StageError:
    more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    return StageError(
        "CHECKPOINT_MISMATCH",
        f"the checkpoint cannot be taken up: {'; '.join(differences[:_SHOWN])}{more}",
        str(folder),
        "start a new run, or delete the stage's work folder to train from the beginning",
    )


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
