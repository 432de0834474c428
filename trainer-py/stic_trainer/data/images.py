"""Opening any image as upright 8-bit RGB, and saying in words why one cannot be."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from stic_trainer.data.formats import HEAD_BYTES, decoders, is_text, signature_of, what_it_is
from stic_trainer.data.metadata import without_metadata
from stic_trainer.data.pixels import NoPixels, flattened, upright

MAX_PIXELS = 120_000_000
"""Images above this are refused before a pixel is decoded: they would need more than half a gigabyte."""

MAX_BYTES = 512 * 2**20
"""Files above this are refused unread."""

MAX_ASPECT = 200
"""Longer side through shorter one. Image processors scale the shorter side to the model's, so a thread of pixels becomes gigabytes."""

# Pillow's own bound is a global warning; ours is per call and an error.
Image.MAX_IMAGE_PIXELS = None


class ImageProblem(Exception):
    """An image that cannot be used; ``code`` is one of ImportProblem's codes, ``reason`` a sentence for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def open_rgb(path: Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image as upright 8-bit RGB: orientation applied, alpha over white, more than 8 bits scaled, first frame.

    ImageProblem when the file is empty, unreadable, no image, larger than ``max_pixels`` or truncated.
    """
    with decode(read_file(path), max_pixels=max_pixels) as image:
        return to_rgb(image)


def read_file(path: Path) -> bytes:
    """The file's bytes. ImageProblem when it is missing, empty, not a regular file, too large or may not be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageProblem("UNREADABLE", "not a regular file")
        if status.st_size > MAX_BYTES:
            raise ImageProblem("TOO_LARGE", f"{status.st_size:,} bytes; the limit is {MAX_BYTES:,}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageProblem("MISSING_IMAGE", "the file does not exist") from None
    except OSError as error:
        raise ImageProblem("UNREADABLE", f"the file cannot be read: {error.strerror or error}") from error
    if not data:
        raise ImageProblem("EMPTY_FILE", "the file has no bytes")
    return data


def identify(data: bytes, *, max_pixels: int = MAX_PIXELS, formats: frozenset[str] | None = None) -> Image.Image:
    """The image by its header alone, of an acceptable size; no pixel is decoded yet."""
    return _with_or_without_metadata(data, lambda given: _opened(given, formats, max_pixels))


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, formats: frozenset[str] | None = None) -> Image.Image:
    """A file's first frame, fully decoded but otherwise as stored. ImageProblem when that is not possible."""
    return _with_or_without_metadata(data, lambda given: _loaded(_opened(given, formats, max_pixels), max_pixels))


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB of a loaded image. ImageProblem when its mode has no way there."""
    try:
        return flattened(upright(image))
    except MemoryError:
        raise
    except NoPixels as problem:
        raise ImageProblem("UNREADABLE", f"a {image.format} image that cannot be shown: {problem}") from None
    except Exception as error:
        raise ImageProblem("UNREADABLE", f"a {image.format} image of mode {image.mode} has no way to RGB: {_words(error)}") from error


def thumbnail(image: Image.Image, *, longest_side: int = 256) -> Image.Image:
    """A copy of an RGB image that fits a square of ``longest_side`` px; smaller ones keep their size."""
    copy = image.copy()
    copy.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return copy


def _with_or_without_metadata(data: bytes, read: Callable[[bytes], Image.Image]) -> Image.Image:
    """What ``read`` makes of the file or, where that fails, of its pixels alone. The problem is the whole file's."""
    try:
        return read(data)
    except ImageProblem as problem:
        bare = without_metadata(data) if problem.code == "TRUNCATED" else None
        if bare is not None:
            with suppress(ImageProblem):
                return read(bare)
        raise


def _opened(data: bytes, formats: frozenset[str] | None, max_pixels: int) -> Image.Image:
    head = data[:HEAD_BYTES]
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=decoders(formats))
    except UnidentifiedImageError:
        raise _unidentified(head) from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with anything may raise anything
        if is_text(head):
            raise _unidentified(head) from None
        raise ImageProblem("TRUNCATED", f"the image's header is damaged: {_words(error)}") from error
    _check_size(image, max_pixels)
    if any(";16" in str(tile[3]) for tile in getattr(image, "tile", ())):
        image.info.setdefault("bits_per_sample", 16)  # of colours Pillow keeps 8, and says so nowhere once they are loaded
    return image


def _loaded(image: Image.Image, max_pixels: int) -> Image.Image:
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise ImageProblem("TRUNCATED", f"the {image.format} data ends early or is damaged: {_words(error)}") from error
    _check_size(image, max_pixels)  # of HEIF it may differ from the header's
    return image


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageProblem("TOO_LARGE", f"{width} x {height} is {width * height:,} pixels; the limit is {max_pixels:,}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageProblem("TOO_LARGE", f"{width} x {height}: one side is more than {MAX_ASPECT} times the other")


def _unidentified(head: bytes) -> ImageProblem:
    name = signature_of(head)
    if name is not None:
        return ImageProblem("TRUNCATED", f"starts like a {name} image but cannot be read: cut off, damaged or of a rare kind")
    return ImageProblem("NOT_AN_IMAGE", what_it_is(head))


def _words(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "..."
