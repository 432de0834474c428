"""Opening any image as upright 8-bit RGB, and saying in words why one cannot be."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path, PurePosixPath

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_PIXELS = 120_000_000
"""Images above this are refused before a pixel is decoded: they would need more than half a gigabyte."""

MAX_BYTES = 512 * 2**20
"""Files above this are refused unread."""

MAX_ASPECT = 200
"""Longer side through shorter one. Image processors scale the shorter side to the model's, so a thread of pixels becomes gigabytes."""

# Formats whose reading starts another program (Ghostscript) or that are metadata stubs without a decoder.
_EXCLUDED = {"EPS", "BUFR", "GRIB", "HDF5", "WMF", "MPEG"}

UNMISTAKABLE = frozenset({"JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"})
"""Formats known by their first bytes: only they are looked for in files whose name does not say that they are images."""

_SIGNATURES = {
    rb"\xff\xd8\xff": "JPEG",
    rb"\x89PNG": "PNG",
    rb"GIF8": "GIF",
    rb"RIFF....WEBP": "WEBP",
    rb"II\*\x00|MM\x00\*": "TIFF",
    rb"BM....\x00{4}": "BMP",
    rb"....ftypavi[fs]": "AVIF",
}

# Pillow's own bound is a global warning; ours is per call and an error.
Image.MAX_IMAGE_PIXELS = None


class ImageProblem(Exception):
    """An image that cannot be used; ``code`` is one of ImportProblem's codes, ``reason`` a sentence for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def open_rgb(path: Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image as upright 8-bit RGB: EXIF rotation applied, alpha over white, 16 bit scaled, first frame of an animation.

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


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, formats: frozenset[str] | None = None) -> Image.Image:
    """A file's first frame, fully decoded but otherwise as stored. ImageProblem when that is not possible."""
    image = identify(data, max_pixels=max_pixels, formats=formats)
    load(image)
    return image


def identify(data: bytes, *, max_pixels: int = MAX_PIXELS, formats: frozenset[str] | None = None) -> Image.Image:
    """The image by its header alone, of an acceptable size; no pixel is decoded yet."""
    known = [name for name in _formats() if formats is None or name in formats]
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=known)
    except UnidentifiedImageError:
        raise _unidentified(data[:512]) from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder fed with anything may raise anything
        if _is_text(data[:512]):
            raise _unidentified(data[:512]) from None
        raise ImageProblem("TRUNCATED", f"the image's header is damaged: {_words(error)}") from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageProblem("TOO_LARGE", f"{width} x {height} is {width * height:,} pixels; the limit is {max_pixels:,}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageProblem("TOO_LARGE", f"{width} x {height}: one side is more than {MAX_ASPECT} times the other")
    return image


def load(image: Image.Image) -> None:
    """Decodes an identified image. ImageProblem when its data is damaged or not all there."""
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise ImageProblem("TRUNCATED", f"the {image.format} data ends early or is damaged: {_words(error)}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB of a loaded image. ImageProblem when its mode has no way there."""
    try:
        return _flattened(_upright(image))
    except MemoryError:
        raise
    except Exception as error:
        raise ImageProblem("UNREADABLE", f"a {image.format} image of mode {image.mode} has no way to RGB: {_words(error)}") from error


def thumbnail(image: Image.Image, *, longest_side: int = 256) -> Image.Image:
    """A copy of an RGB image that fits a square of ``longest_side`` px; smaller ones keep their size."""
    copy = image.copy()
    copy.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return copy


def is_image_name(name: str) -> bool:
    """Whether the ending is one that an image format uses."""
    return PurePosixPath(name).suffix.lower() in _endings()


def _unidentified(head: bytes) -> ImageProblem:
    for signature, name in _SIGNATURES.items():
        if re.match(signature, head, re.DOTALL):
            return ImageProblem("TRUNCATED", f"starts like a {name} image but cannot be read; it is cut off or damaged")
    if b"<svg" in head.lower():
        return ImageProblem("NOT_AN_IMAGE", "an SVG drawing, not a pixel image")
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return ImageProblem("NOT_AN_IMAGE", "a HEIC image, which cannot be read; convert it to JPEG or PNG")
    if head.startswith(b"%!PS"):
        return ImageProblem("NOT_AN_IMAGE", "a PostScript drawing, not a pixel image")
    if _is_text(head):
        return ImageProblem("NOT_AN_IMAGE", "text, not an image")
    return ImageProblem("NOT_AN_IMAGE", "not in a format that can be read")


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 for byte in head)


def _upright(image: Image.Image) -> Image.Image:
    """EXIF rotation applied; a damaged EXIF block, beside pixels that are whole, says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:
        return image


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _scaled_to_8_bit(image).convert("RGB")
    if image.mode == "LAB":
        return _lab_to_rgb(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGBA", layer.size, "white")
        flat.alpha_composite(layer)
        return flat.convert("RGB")
    return image.convert("RGB")


def _scaled_to_8_bit(image: Image.Image) -> Image.Image:
    """Greys of more than 8 bits, mapped linearly: 16 bit from 0..65535, floating point from 0..1, others from their own range."""
    values = image.convert("F") if image.mode.startswith("I;") else image
    extrema = values.getextrema()
    low, high = float(extrema[0]), float(extrema[1])  # type: ignore[arg-type]
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode != "F" and low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    scale = 255.0 / (high - low) if high > low else 0.0
    return values.convert("F").point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in _EXCLUDED]


def _endings() -> frozenset[str]:
    Image.init()
    extra = {".svg", ".eps", ".heic", ".heif"}
    return frozenset(Image.EXTENSION) - {".pdf", ".mpg", ".mpeg", ".h5", ".hdf"} | extra


def _words(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text if len(text) <= 200 else text[:200] + "..."
