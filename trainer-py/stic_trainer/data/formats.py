"""Which files are images: the formats that are read, their endings and first bytes, and reasons for files that are not."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pylibjxl
from PIL import Image

from stic_trainer.data import heif

# Both decode only when their pixels are asked for, so that a size is known before (docs/adr/0013-heic-and-jpeg-xl.md).
heif.register()
pylibjxl.register_pillow()

UNMISTAKABLE = frozenset({"JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "HEIF", "JXL", "FITS", "SGI", "SUN"})
"""Formats known by their first bytes: only they are looked for in files whose name does not say that they are images."""

HEAD_BYTES = 512
"""As much of a file's beginning as ``signature_of`` and ``what_it_is`` want to see."""

# Formats whose reading starts another program (Ghostscript) or that are metadata stubs without a decoder.
_EXCLUDED = {"EPS", "BUFR", "GRIB", "HDF5", "WMF", "MPEG"}

# Endings that Pillow knows and that are not, or not chiefly, those of pixel images: drawings, documents, films, measurements.
# Beside images such files are no fault; those that do hold pixels (FITS, SGI, Sun) are known by their first bytes.
_OTHER_KINDS = frozenset(
    f".{ending}"
    for ending in (
        *("eps", "fit", "fits", "ftc", "ftu", "gbr", "icb", "iim", "im", "msp", "palm", "pdf", "ps", "ras", "rgb", "vda", "vst"),
        *("bufr", "emf", "grib", "h5", "hdf", "mpeg", "mpg", "wmf"),
    )
)

_SIGNATURES = {
    rb"\xff\xd8\xff": "JPEG",
    rb"\x89PNG": "PNG",
    rb"GIF8": "GIF",
    rb"RIFF....WEBP": "WEBP",
    rb"II\*\x00|MM\x00\*": "TIFF",
    rb"BM....\x00{4}": "BMP",
    rb"....ftypavi[fs]": "AVIF",
    rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)": "HEIF",
    rb"\x00{3}\x0cJXL |\xff\x0a": "JXL",
    rb"\x00{3}\x0cjP  \r\n\x87\n": "JPEG2000",
    rb"SIMPLE  =": "FITS",
    rb"\x01\xda[\x00\x01][\x01\x02]": "SGI",
    rb"\x59\xa6\x6a\x95": "SUN",
}

_OTHERS = {
    rb"version https://git-lfs\.github\.com/spec": "a Git LFS pointer in place of the file; fetch the file with `git lfs pull`",
    rb"%!PS": "a PostScript drawing, not a pixel image",
    rb"%PDF": "a PDF document, not a pixel image",
    rb"(?s:.*)<svg": "an SVG drawing, not a pixel image",
}


def decoders(formats: frozenset[str] | None = None) -> list[str]:
    """Pillow's names of the formats that are read, or of those among ``formats``."""
    Image.init()
    return [name for name in Image.ID if name not in _EXCLUDED and (formats is None or name in formats)]


def is_image_name(name: str) -> bool:
    """Whether the ending is that of a pixel image, so that a file that is not one is reported."""
    return _ending(name) in Image.registered_extensions() and _ending(name) not in _OTHER_KINDS


def formats_for(name: str) -> frozenset[str] | None:
    """The formats to look for in a file: all (None) when its ending is an image's."""
    return None if is_image_name(name) else UNMISTAKABLE


def signature_of(head: bytes) -> str | None:
    """The format that a file begins like."""
    return next((name for signature, name in _SIGNATURES.items() if re.match(signature, head, re.DOTALL)), None)


def what_it_is(head: bytes) -> str:
    """Words for a file that is no image."""
    for signature, words in _OTHERS.items():
        if re.match(signature, head, re.IGNORECASE):
            return words
    return "text, not an image" if is_text(head) else "not in a format that can be read"


def is_text(head: bytes) -> bool:
    return not any(byte < 9 for byte in head)


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
