"""From what a decoder gives to upright 8-bit RGB."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

_Values = npt.NDArray[np.generic]

# These are upright once they are loaded: Pillow turns TIFF; libheif and libjxl turn by the file's own transformations, beside
# which their standards (ISO/IEC 23008-12, 18181-2) give the Exif orientation no meaning.
_TURNED_BY_DECODER = {"TIFF", "HEIF", "JXL"}

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits that whole numbers of 16-bit files have in practice: cameras and scanners give 10 to 14."""

_OUTLIERS = 0.001
"""Share of pixels at each end that do not count for the range: a few dead or hot pixels must not make the others black."""

_SAMPLES = 4_000_000
_ROWS_AT_ONCE = 256

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE, _SAMPLE_FORMAT = 258, 262, 281, 339
_WHITE_IS_ZERO, _UNSIGNED = 0, 1


class NoPixels(Exception):
    """The image is whole, and yet its values show nothing; the message says why."""


def upright(image: Image.Image) -> Image.Image:
    """A loaded image with its orientation applied; a damaged EXIF block, beside pixels that are whole, is as good as none."""
    if image.format in _TURNED_BY_DECODER:
        return image
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:
        return image


def flattened(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode: alpha over white, more than 8 bits scaled. NoPixels when the values show nothing."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _scaled(image).convert("RGB")
    _check_depth(image)
    if image.mode == "LAB":
        return _lab_to_rgb(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGBA", layer.size, "white")
        flat.alpha_composite(layer)
        return flat.convert("RGB")
    return image.convert("RGB")


def _scaled(image: Image.Image) -> Image.Image:
    """Greys of more than 8 bits as 8, linearly, from the range that ``_range`` finds. NaN is painted black, infinities as the ends."""
    values = _values(image)
    low, high = _range(values, int(_tag(image, _MAX_SAMPLE, 0)))
    if _tag(image, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        low, high = high, low
    out = np.empty(values.shape, np.uint8)
    for rows in _bands(len(values)):
        level = (values[rows].astype(np.float64) - low) * (255 / (high - low))
        out[rows] = np.nan_to_num(np.clip(level, 0, 255), nan=0.0).round()
    return Image.fromarray(out)


def _range(values: _Values, declared: int) -> tuple[float, float]:
    """What becomes black and what white.

    Whole numbers from 0 on: 0 to the file's MaxSampleValue, or to the top of the least of 8, 10, 12, 14 and 16 bits that holds
    them. Floating point from 0 on: 0 to 1, unless all are above or far below 1. Everything else: its own range. Outliers do not
    count. A constant image whose range says nothing is a medium grey; zeros are black.
    """
    sample = values.reshape(-1)[:: max(1, values.size // _SAMPLES)].astype(np.float64)
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        raise NoPixels("its values are all NaN or infinite")
    low, high = (float(edge) for edge in np.quantile(finite, (_OUTLIERS, 1 - _OUTLIERS), method="nearest"))
    if low >= 0 and np.issubdtype(values.dtype, np.integer):
        top = declared if declared >= high > 0 else next((2**bits - 1 for bits in _DEPTHS if high < 2**bits), 0)
        if top:
            return 0.0, float(top)
    if low >= 0 and (high == 0 or 1 / 16 <= high <= 1):
        return 0.0, 1.0
    if low == high:
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 1, low + 1)


def _values(image: Image.Image) -> _Values:
    values: _Values = np.asarray(image)
    # Pillow reads 32-bit whole numbers as signed, whatever they are.
    unsigned = image.mode == "I" and _tag(image, _BITS_PER_SAMPLE, 0) == 32 and _tag(image, _SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED
    return values.view(np.uint32) if unsigned else values


def _check_depth(image: Image.Image) -> None:
    """Decoders keep the upper 8 bits of colours of 16, in which values of 12 bits or fewer leave next to nothing."""
    if image.info.get("bits_per_sample") != 16 or image.mode not in ("RGB", "RGBA", "L", "LA"):
        return
    colours = [image.getchannel(band).getextrema() for band in image.getbands() if band != "A"]
    if all(isinstance(high, int | float) and high < 16 for _, high in colours):
        raise NoPixels("it has 16 bits a sample of which the upper four are empty; scale its values to 16 bits, or to 8")


def _tag(image: Image.Image, number: int, default: float) -> float:
    """A TIFF's tag, its first value where it has several."""
    value = getattr(image, "tag_v2", {}).get(number, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int | float) else default


def _bands(rows: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, rows, _ROWS_AT_ONCE))


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted
