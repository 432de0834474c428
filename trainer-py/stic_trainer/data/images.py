"""Opening any image as upright 8-bit RGB, and saying in words why one cannot be."""

from __future__ import annotations

import io
import stat
from pathlib import Path, PurePosixPath

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_PIXELS = 120_000_000
"""Images above this are refused before a pixel is decoded: they would need more than half a gigabyte."""

MAX_BYTES = 512 * 2**20
"""Files above this are refused unread."""

# Formats whose reading starts another program (Ghostscript) or that are metadata stubs without a decoder.
_EXCLUDED = {"EPS", "BUFR", "GRIB", "HDF5", "WMF", "MPEG"}

UNMISTAKABLE = frozenset({"JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000"})
"""Formats known by their first bytes: only they are looked for in files whose name does not say that they are images."""

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"RIFF": "WEBP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
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
    known = [name for name in _formats() if formats is None or name in formats]
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=known)
    except UnidentifiedImageError:
        raise _unidentified(data[:512]) from None
    except Exception as error:  # a decoder fed with anything may raise anything
        raise ImageProblem("TRUNCATED", f"the image's header is damaged: {_words(error)}") from error
    if image.width * image.height > max_pixels:
        pixels = f"{image.width} x {image.height} is {image.width * image.height:,} pixels"
        raise ImageProblem("TOO_LARGE", f"{pixels}; the limit is {max_pixels:,}")
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise ImageProblem("TRUNCATED", f"the {image.format} data ends early or is damaged: {_words(error)}") from error
    return image


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB of a loaded image."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("I", "F") or upright.mode.startswith("I;"):
        return _scaled_to_8_bit(upright).convert("RGB")
    if upright.mode == "LAB":
        return _lab_to_rgb(upright)
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        flat = Image.new("RGBA", layer.size, "white")
        flat.alpha_composite(layer)
        return flat.convert("RGB")
    return upright.convert("RGB")


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
        if head.startswith(signature):
            return ImageProblem("TRUNCATED", f"starts like a {name} image but cannot be read; it is cut off or damaged")
    if b"<svg" in head.lower():
        return ImageProblem("NOT_AN_IMAGE", "an SVG drawing, not a pixel image")
    if head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return ImageProblem("NOT_AN_IMAGE", "a HEIC image, which cannot be read; convert it to JPEG or PNG")
    if head.startswith(b"%!PS"):
        return ImageProblem("NOT_AN_IMAGE", "a PostScript drawing, not a pixel image")
    if not any(byte < 9 for byte in head):
        return ImageProblem("NOT_AN_IMAGE", "text, not an image")
    return ImageProblem("NOT_AN_IMAGE", "not in a format that can be read")


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
