"""One image into the store: checked, its bytes as they are, and a thumbnail."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path

from stic_trainer.data.images import ImageProblem, decode, read_file, thumbnail, to_rgb
from stic_trainer.data.records import ImageItem
from stic_trainer.runtime.store import Store

# Images of this many bytes take turns, so that a few large ones cannot fill the memory together.
_LARGE_BYTES = 12 * 2**20
_large_ones = threading.Lock()


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
    try:
        if "\x00" in name or not _is_utf8(name):
            shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\x00", "\ufffd")
            return Problem(shown, "UNREADABLE", "the file's name is not valid UTF-8; rename it")
        if not path.resolve().is_relative_to(root):
            return Problem(name, "PATH_ESCAPES", "the path leads out of the dataset's folder")
        data = read_file(path)
        if len(data) < _LARGE_BYTES:
            return _ingest(store, data, name, formats)
        with _large_ones:
            return _ingest(store, data, name, formats)
    except ImageProblem as problem:
        return Problem(name, problem.code, problem.reason)
    except (RuntimeError, ValueError, OSError) as error:
        # resolve() of a loop of links, or of a name that the system refuses.
        if isinstance(error, OSError) and error.filename is None:
            raise
        return Problem(name, "UNREADABLE", f"the path cannot be followed: {error}")


def _ingest(store: Store, data: bytes, name: str, formats: frozenset[str] | None) -> ImageItem:
    with decode(data, formats=formats) as image:
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


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
