"""Image corruptions: they make the model describe badly, and only that. No corrupted image is ever trained on.

A corruption is a function of an RGB image, its parameters and a random generator that returns the corrupted image with the
values it drew. ``@corruption`` registers it by its name with a version and the range of each parameter; a change of what it does
to an image raises the version. ``low_resolution`` and ``color_jitter`` are the paper's two.

``python -m stic_trainer.method.corruption`` prints what recipes/corruptions/registry.json holds: the server checks recipes with it.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from PIL import Image, ImageEnhance, ImageFilter

Drawn = dict[str, float]
CorruptionFunction = Callable[[Image.Image, Mapping[str, float], random.Random], tuple[Image.Image, Drawn]]


@dataclass(frozen=True)
class Range:
    """What a parameter may be, both ends included."""

    least: float
    most: float
    whole: bool = False

    def __str__(self) -> str:
        return f"a {'whole ' if self.whole else ''}number from {self.least:g} to {self.most:g}"

    def holds(self, value: float) -> bool:
        return self.least <= value <= self.most and not (self.whole and value != int(value))


@dataclass(frozen=True)
class Corruption:
    name: str
    version: int
    parameters: Mapping[str, Range]
    function: CorruptionFunction


class ParameterError(ValueError):
    """``field`` (name, or parameters.x) is ``value``; ``allowed`` says what it may be."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} is {value!r}; allowed: {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


_REGISTRY: dict[str, Corruption] = {}


def corruption(*, version: int, **parameters: Range) -> Callable[[CorruptionFunction], CorruptionFunction]:
    def register(function: CorruptionFunction) -> CorruptionFunction:
        name = function.__name__
        assert name not in _REGISTRY, f"two corruptions are named {name}"
        _REGISTRY[name] = Corruption(name, version, parameters, function)
        return function

    return register


def corruption_names() -> list[str]:
    return sorted(_REGISTRY)


def find_corruption(name: str, parameters: Mapping[str, float]) -> Corruption:
    """The corruption ``name``; ParameterError when there is none or ``parameters`` are not exactly its own, each within its range."""
    found = _REGISTRY.get(name)
    if found is None:
        raise ParameterError("name", name, ", ".join(corruption_names()))
    for parameter, allowed in found.parameters.items():
        value = parameters.get(parameter)
        if value is None or not allowed.holds(value):
            raise ParameterError(f"parameters.{parameter}", value, str(allowed))
    for parameter, value in parameters.items():
        if parameter not in found.parameters:
            raise ParameterError(f"parameters.{parameter}", value, f"absent: {name} takes {', '.join(found.parameters)}")
    return found


def corrupt(name: str, image: Image.Image, parameters: Mapping[str, float], seed: int) -> tuple[Image.Image, Drawn]:
    """The image corrupted and the values drawn from ``seed``. ParameterError as ``find_corruption``."""
    return find_corruption(name, parameters).function(image, parameters, random.Random(seed))


def corruption_digest(name: str, parameters: Mapping[str, float]) -> str:
    """sha256 that names what is done to an image: the corruption, its version and its parameters."""
    values = {key: float(value) for key, value in parameters.items()}
    identity = {"name": name, "version": find_corruption(name, parameters).version, "parameters": values}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def catalogue() -> dict[str, object]:
    """Every corruption by name, as recipes/corruptions/registry.json has it."""
    return {
        name: {"version": known.version, "parameters": {key: asdict(value) for key, value in known.parameters.items()}}
        for name, known in sorted(_REGISTRY.items())
    }


@corruption(version=1, shorter_side_px=Range(1, 4096, whole=True))
def low_resolution(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """The shorter side shrunk to ``shorter_side_px``; smaller images keep their size."""
    side = int(parameters["shorter_side_px"])
    scale = min(1.0, side / min(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR), {"shorter_side_px": float(min(size))}


@corruption(version=1, brightness=Range(0, 1), hue=Range(0, 0.5))
def color_jitter(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Brightness times 1 +- ``brightness``, hue turned by +- ``hue`` of the circle, both uniform."""
    brightness = 1 + rng.uniform(-parameters["brightness"], parameters["brightness"])
    hue = rng.uniform(-parameters["hue"], parameters["hue"])
    bright = ImageEnhance.Brightness(image).enhance(brightness)
    h, s, v = bright.convert("HSV").split()
    shift = round(hue * 256) % 256
    turned = Image.merge("HSV", (h.point([(value + shift) % 256 for value in range(256)]), s, v)).convert("RGB")
    return turned, {"brightness": brightness, "hue": hue}


@corruption(version=1, radius_fraction=Range(0, 1))
def blur(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Gaussian blur with a radius of ``radius_fraction`` of the shorter side."""
    radius = parameters["radius_fraction"] * min(image.size)
    return image.filter(ImageFilter.GaussianBlur(radius)), {"radius_px": radius}


@corruption(version=1, share=Range(0, 1))
def noise(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Every pixel mixed with a random colour, which has ``share`` of it."""
    colours = Image.frombytes("RGB", image.size, rng.randbytes(3 * image.width * image.height))
    return Image.blend(image, colours, parameters["share"]), {"share": parameters["share"]}


@corruption(version=1, side_fraction=Range(0, 1))
def mask(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """A grey rectangle of ``side_fraction`` of both sides, anywhere."""
    width, height = (max(1, round(side * parameters["side_fraction"])) for side in image.size)
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    masked = image.copy()
    masked.paste((128, 128, 128), (left, top, left + width, top + height))
    return masked, {"left_px": float(left), "top_px": float(top)}


@corruption(version=1, quality=Range(1, 95, whole=True))
def jpeg(image: Image.Image, parameters: Mapping[str, float], rng: random.Random) -> tuple[Image.Image, Drawn]:
    """Stored as JPEG of ``quality`` and read again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(parameters["quality"]))
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"), {"quality": parameters["quality"]}


if __name__ == "__main__":
    print(json.dumps(catalogue(), indent=2))
