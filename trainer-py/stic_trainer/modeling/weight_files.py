"""A model folder's safetensors files by their headers: names, shapes and types of tensors, without torch and without reading a weight."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stic_trainer.errors import StageError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_LAYOUT = re.compile(r"^(?:model\.|language_model\.)+")
"""What names begin with, in one way or another by the library's version that saved them, which reads all of them."""


@dataclass(frozen=True)
class TensorHeader:
    dtype: str
    """As safetensors spells it: F32, BF16, ..."""
    shape: tuple[int, ...]
    begin: int
    """First byte in the file."""
    end: int

    @property
    def numbers(self) -> int:
        return math.prod(self.shape)


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers reads: the single one, else those of the index. StageError MODEL_INVALID when one is missing."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if not (folder / INDEX).is_file():
        raise _no_weights(folder)
    names = sorted(set(json.loads((folder / INDEX).read_text("utf-8"))["weight_map"].values()))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise _invalid(
            f"{len(missing)} of {len(names)} weight files are missing, first {missing[0]}", str(folder), "Fetch the folder again."
        )
    if not names:
        raise _invalid(f"{INDEX} lists no weight files", str(folder / INDEX), "Fetch the folder again.")
    return [folder / name for name in names]


def read_headers(folder: Path) -> dict[str, TensorHeader]:
    """Every tensor of the folder by its name in the files. StageError MODEL_INVALID for a damaged file, and for a tensor found twice."""
    tensors: dict[str, TensorHeader] = {}
    for file in weight_files(folder):
        try:
            header = read_header(file)
        except ValueError as error:
            raise _invalid(f"{file.name} is damaged or cut short", str(file), "Fetch the file again.") from error
        if twice := sorted(tensors.keys() & header.keys()):
            raise _invalid(f"the tensor {twice[0]} is in two weight files", str(file), "Remove the file that is not the model's.")
        tensors |= header
    _check_names(tensors, folder)
    return tensors


def _check_names(tensors: Iterable[str], folder: Path) -> None:
    """A tensor with a name of each layout: which one is read would be chance."""
    known: dict[str, str] = {}
    for name in tensors:
        other = known.setdefault(_LAYOUT.sub("", name, count=1), name)
        if other != name:
            message = f"{other} and {name} are two names of one tensor"
            raise _invalid(message, str(folder), "Keep the one that belongs to the model, or fetch the folder again.")


def read_header(file: Path) -> dict[str, TensorHeader]:
    """The file's tensors by name. ValueError for a file that is damaged or cut short."""
    size = file.stat().st_size
    try:
        with open(file, "rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > size - 8:
                raise ValueError("cut short")
            entries = json.loads(stream.read(length))
        start = 8 + length
        tensors = {name: _tensor(entry, start) for name, entry in entries.items() if name != "__metadata__"}
    except (KeyError, TypeError, AttributeError, struct.error) as error:
        raise ValueError(f"damaged: {error}") from error
    end = start
    for tensor in sorted(tensors.values(), key=lambda tensor: tensor.begin):
        if tensor.begin != end:
            raise ValueError("tensors overlap, or have a gap between them")
        end = tensor.end
    if end != size:
        raise ValueError("cut short")
    return tensors


def _tensor(entry: dict[str, object], start: int) -> TensorHeader:
    offsets, shape = entry["data_offsets"], entry["shape"]
    if not isinstance(offsets, list) or not isinstance(shape, list):
        raise TypeError("no shape or place")
    begin, end = (start + int(offset) for offset in offsets)
    return TensorHeader(str(entry["dtype"]), tuple(int(side) for side in shape), begin, end)


def _no_weights(folder: Path) -> StageError:
    others = sorted(file.name for file in folder.glob("*.safetensors"))
    if others:
        return _invalid(
            f"its weights are called {others[0]}: transformers reads {SINGLE}, or the files that {INDEX} lists",
            str(folder),
            f"Rename the file to {SINGLE}, or fetch {INDEX} and all the files that it lists.",
        )
    if any(folder.glob("*.bin")) or any(folder.glob("*.pth")):
        hint = "Convert it with transformers: load it and save_pretrained(folder, safe_serialization=True)."
        return _invalid("its weights are pickled (.bin), which can run code when read; safetensors are needed", str(folder), hint)
    return _invalid("it has no weights (*.safetensors)", str(folder), "Fetch the folder again, weights included.")


def _invalid(message: str, subject: str, hint: str) -> StageError:
    return StageError("MODEL_INVALID", message, subject, hint)
