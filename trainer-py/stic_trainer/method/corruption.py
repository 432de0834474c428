"""Image corruptions: they make the model describe badly, and only that. No corrupted image is ever trained on.

A corruption takes an RGB image, its parameters and a random generator, and returns the corrupted image with the values it
drew. ``low_resolution`` and ``color_jitter`` are the paper's two.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageEnhance, ImageFilter

Drawn = dict[str, float]
CorruptionFunction = Callable[[Image.Image, Mapping[str, float], random.Random], tuple[Image.Image, Drawn]]


def corrupt(name: str, image: Image.Image, parameters: Mapping[str, float], seed: int) -> tuple[Image.Image, Drawn]:
    """The corruption registered as ``name``; ValueError for an unknown name or a missing parameter."""
    if name not in _REGISTRY:
        raise ValueError(f"unknown corruption {name!r}; known are {', '.join(corruption_names())}")
    function, needed = _REGISTRY[name]
    missing = [parameter for parameter in needed if parameter not in parameters]
    if missing:
        raise ValueError(f"corruption {name!r} needs {', '.join(missing)}")
    return function(image, parameters, random.Random(seed))


def corruption_names() -> list[str]:
    return sorted(_REGISTRY)


def low_resolution(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """The shorter side shrunk to ``shorter_side_px``; smaller images keep their size."""
    side = int(parameters["shorter_side_px"])
    scale = min(1.0, side / min(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR), {"shorter_side_px": float(min(size))}


def color_jitter(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Brightness times 1 +- ``brightness``, hue turned by +- ``hue`` of the circle, both uniform."""
    brightness = max(0.0, 1 + rng.uniform(-parameters["brightness"], parameters["brightness"]))
    hue = rng.uniform(-parameters["hue"], parameters["hue"])
    bright = ImageEnhance.Brightness(image).enhance(brightness)
    h, s, v = bright.convert("HSV").split()
    shift = round(hue * 256) % 256
    turned = Image.merge("HSV", (h.point([(value + shift) % 256 for value in range(256)]), s, v)).convert("RGB")
    return turned, {"brightness": brightness, "hue": hue}


def blur(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Gaussian blur with a radius of ``radius_fraction`` of the shorter side."""
    radius = parameters["radius_fraction"] * min(image.size)
    return image.filter(ImageFilter.GaussianBlur(radius)), {"radius_px": radius}


def mask(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """A grey rectangle of ``side_fraction`` of both sides, anywhere."""
    width, height = (max(1, round(side * parameters["side_fraction"])) for side in image.size)
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    masked = image.copy()
    masked.paste((128, 128, 128), (left, top, left + width, top + height))
    return masked, {"left_px": float(left), "top_px": float(top)}


def jpeg(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Stored as JPEG of ``quality`` (1..95) and read again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(parameters["quality"]))
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"), {"quality": parameters["quality"]}


_REGISTRY: dict[str, tuple[CorruptionFunction, tuple[str, ...]]] = {
    "low_resolution": (low_resolution, ("shorter_side_px",)),
    "color_jitter": (color_jitter, ("brightness", "hue")),
    "blur": (blur, ("radius_fraction",)),
    "mask": (mask, ("side_fraction",)),
    "jpeg": (jpeg, ("quality",)),
}
