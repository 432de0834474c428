"""One image into the store: checked, its bytes as they are, and a thumbnail."""

from __future__ import annotations

import io
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.data.folder import ESCAPES, Folder, same_stem
from stic_trainer.data.images import ImageProblem, decode, identify, read_file, thumbnail, to_rgb
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


def ingest_image(store: Store, folder: Folder, path: Path, name: str, *, formats: frozenset[str] | None = None) -> ImageItem | Problem:
    """The image ``path`` as an item called ``name``, or why it cannot be one. Whatever an image is or does costs that image alone.

    StageError DISK_FULL when the store has no room.
    """
    try:
        found = _found(folder, path, name)
        with _turn(found.stat().st_size >= _LARGE_BYTES):
            data = read_file(found)
            facts, small = _examined(data, formats)
    except ImageProblem as problem:
        return Problem(name, problem.code, problem.reason)
    except MemoryError:
        return Problem(name, "TOO_LARGE", "the memory does not suffice to decode it")
    except Exception as error:
        return Problem(name, "UNREADABLE", f"reading it failed: {type(error).__name__}: {error}")
    return ImageItem(name=name, sha256=store.put_blob_bytes(data), bytes=len(data), thumbnail=store.put_blob_bytes(small), **facts)


def _found(folder: Folder, path: Path, name: str) -> Path:
    """The file that ``path`` leads to. ImageProblem when it does not exist or may not be read."""
    if "\x00" in name:
        raise ImageProblem("UNREADABLE", "the file's name holds a NUL character")
    if not _is_utf8(name):
        raise ImageProblem("UNREADABLE", "the file's name is not valid UTF-8; rename it")
    try:
        resolved = path.resolve()
        if not folder.admits(resolved):
            raise ImageProblem("PATH_ESCAPES", ESCAPES)
        resolved.stat()
    except FileNotFoundError:
        other = same_stem(path)
        raise ImageProblem("MISSING_IMAGE", "the file does not exist" + (f"; {other} lies in its place" if other else "")) from None
    except (RuntimeError, ValueError, OSError) as error:
        # A loop of links, or a name that the system refuses.
        raise ImageProblem("UNREADABLE", f"the path cannot be followed: {error}") from error
    return resolved


def _examined(data: bytes, formats: frozenset[str] | None) -> tuple[dict[str, Any], bytes]:
    """What an ImageItem says of the image, sizes as decoded and upright, and its thumbnail as JPEG."""
    with identify(data, formats=formats) as header:
        large = header.width * header.height >= _LARGE_PIXELS
    with _turn(large), decode(data, formats=formats) as image:
        upright = to_rgb(image)
        facts = {"width": upright.width, "height": upright.height, "format": image.format or "", "mode": image.mode}
    small = io.BytesIO()
    thumbnail(upright).save(small, "JPEG", quality=85)
    return facts, small.getvalue()


def _turn(large: bool) -> AbstractContextManager[object]:
    return _large_ones if large else nullcontext()


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
