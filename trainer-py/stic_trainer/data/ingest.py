"""One image into the store: checked, its bytes as they are, and a thumbnail."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from stic_trainer.data.images import ImageProblem, identify, load, read_file, thumbnail, to_rgb
from stic_trainer.data.records import ImageItem
from stic_trainer.runtime.store import Store

# Images beyond these bounds take turns, so that a few large ones cannot fill the memory together.
_LARGE_BYTES = 12 * 2**20
_LARGE_PIXELS = 32_000_000
_large_ones = threading.RLock()


@dataclass(frozen=True)
class Problem:
    """An item that was refused, as ImportProblem has it."""

    name: str
    code: str
    reason: str


def ingest_image(store: Store, root: Path, path: Path, name: str, *, formats: frozenset[str] | None = None) -> ImageItem | Problem:
    """The image ``path`` (inside ``root``, which is resolved) as an item called ``name``, or why it cannot be one.

    StageError DISK_FULL when the store has no room.
    """
    if "\x00" in name or not _is_utf8(name):
        return Problem(name, "UNREADABLE", "the file's name is not valid UTF-8; rename it")
    try:
        if not path.resolve().is_relative_to(root):
            return Problem(name, "PATH_ESCAPES", "the path leads out of the dataset's folder")
        large = path.stat().st_size >= _LARGE_BYTES
    except FileNotFoundError:
        return Problem(name, "MISSING_IMAGE", "the file does not exist")
    except (RuntimeError, ValueError, OSError) as error:
        # A loop of links, or a name that the system refuses.
        return Problem(name, "UNREADABLE", f"the path cannot be followed: {error}")
    try:
        with _turn(large):
            return _ingest(store, read_file(path), name, formats)
    except ImageProblem as problem:
        return Problem(name, problem.code, problem.reason)


def _ingest(store: Store, data: bytes, name: str, formats: frozenset[str] | None) -> ImageItem:
    with identify(data, formats=formats) as image, _turn(image.width * image.height >= _LARGE_PIXELS):
        load(image)
        upright = to_rgb(image)
        stored_format, mode = image.format or "", image.mode
    small = io.BytesIO()
    thumbnail(upright).save(small, "JPEG", quality=85)
    return ImageItem(
        name=name,
        sha256=store.put_blob_bytes(data),
        bytes=len(data),
        width=upright.width,
        height=upright.height,
        format=stored_format,
        mode=mode,
        thumbnail=store.put_blob_bytes(small.getvalue()),
    )


def locate(root: Path, relative: str) -> Path:
    """``relative`` (either slash, as data sets from other systems have it) below ``root``; may still lead out of it."""
    return root / relative.replace("\\", "/")


def _turn(large: bool) -> AbstractContextManager[object]:
    return _large_ones if large else nullcontext()


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
