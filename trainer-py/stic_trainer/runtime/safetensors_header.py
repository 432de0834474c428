"""What a safetensors file says of itself: names, shapes and places of its tensors, without reading them."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TensorHeader:
    dtype: str
    """F32, BF16, ..."""
    shape: tuple[int, ...]
    begin: int
    """First byte in the file."""
    end: int


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
    if max((tensor.end for tensor in tensors.values()), default=start) != size:
        raise ValueError("cut short")
    return tensors


def _tensor(entry: dict[str, object], start: int) -> TensorHeader:
    offsets, shape = entry["data_offsets"], entry["shape"]
    if not isinstance(offsets, list) or not isinstance(shape, list):
        raise TypeError("no shape or place")
    begin, end = (start + int(offset) for offset in offsets)
    return TensorHeader(str(entry["dtype"]), tuple(int(side) for side in shape), begin, end)
