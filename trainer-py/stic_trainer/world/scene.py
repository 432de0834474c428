"""Scenes and their pictures.

A scene is a background and one to five objects in a 3 x 3 grid of cells; an object is size x color x shape x cell. The
picture is 96 x 96 pixels RGB, a cell 32 x 32, with jitter, a horizon and pixel noise, all drawn from the scene's own seed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

IMAGE_PIXELS = 96
CELL_PIXELS = 32
MAX_OBJECTS = 5

CELLS = ("top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right")
SIZES = ("small", "large")
SHAPES = ("ball", "box", "tent", "star", "heart", "kite", "ring", "cross")
COLORS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "orange": (244, 140, 32),
    "yellow": (250, 222, 60),
    "green": (38, 150, 60),
    "blue": (40, 84, 214),
    "purple": (128, 52, 164),
    "pink": (250, 142, 186),
    "black": (24, 24, 28),
}
BACKGROUNDS: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "night": ((30, 34, 72), (54, 50, 84)),
    "sea": ((176, 214, 236), (70, 146, 186)),
    "meadow": ((190, 224, 244), (142, 196, 112)),
    "desert": ((240, 218, 178), (216, 176, 112)),
    "snow": ((206, 218, 232), (240, 244, 248)),
}

_SMALL_SHARE = 0.3
_RADIUS = {"small": 6.0, "large": 13.0}
_JITTER = 2.0
_SUPERSAMPLE = 2


@dataclass(frozen=True, order=True)
class Thing:
    """One object. ``cell`` indexes CELLS in reading order, so things sort in reading order."""

    cell: int
    size: str
    color: str
    shape: str


@dataclass(frozen=True)
class Scene:
    background: str
    things: tuple[Thing, ...]


def sample_scene(rng: random.Random, *, min_objects: int = 1) -> Scene:
    """A random scene: colors and shapes come from a palette of four, so that they repeat within a scene."""
    count = rng.randint(min_objects, MAX_OBJECTS)
    colors = rng.sample(tuple(COLORS), 4)
    shapes = rng.sample(SHAPES, 4)
    kinds: list[tuple[str, str]] = []
    while len(kinds) < count:
        kind = (rng.choice(colors), rng.choice(shapes))
        if kind not in kinds:
            kinds.append(kind)
    cells = rng.sample(range(len(CELLS)), count)
    things = [
        Thing(cell, "small" if rng.random() < _SMALL_SHARE else "large", color, shape)
        for cell, (color, shape) in zip(cells, kinds, strict=True)
    ]
    return Scene(rng.choice(tuple(BACKGROUNDS)), tuple(sorted(things)))


def render(scene: Scene, rng: random.Random) -> Image.Image:
    """The picture of ``scene``, (96, 96) RGB. ``rng`` draws jitter, horizon and noise only."""
    side = IMAGE_PIXELS * _SUPERSAMPLE
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    _draw_background(draw, scene.background, side, rng)
    for thing in scene.things:
        _draw_thing(draw, thing, rng)
    image = image.resize((IMAGE_PIXELS, IMAGE_PIXELS), Image.Resampling.BOX)
    noise = np.random.default_rng(rng.getrandbits(64)).normal(0.0, 3.0, (IMAGE_PIXELS, IMAGE_PIXELS, 3))
    pixels = np.clip(np.asarray(image, dtype=np.float32) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _draw_background(draw: ImageDraw.ImageDraw, name: str, side: int, rng: random.Random) -> None:
    sky, ground = BACKGROUNDS[name]
    draw.rectangle((0, 0, side, side), fill=sky)
    horizon = side * rng.uniform(0.30, 0.38)
    waves = rng.uniform(0, 2 * math.pi)
    height = side * (0.01 if name == "sea" else 0.03)
    ridge = [(x, horizon + height * math.sin(waves + 7 * x / side)) for x in range(0, side + 1, 4)]
    draw.polygon([*ridge, (side, side), (0, side)], fill=ground)
    for _ in range(14):
        x, y = rng.uniform(0, side), rng.uniform(0, side)
        if name == "night" and y < horizon:
            draw.point((x, y), fill=(230, 230, 200))
        elif y > horizon:
            tint = tuple(max(0, min(255, channel + rng.randint(-14, 14))) for channel in ground)
            draw.line((x, y, x + side * 0.05, y + (0 if name == "sea" else rng.uniform(-3, 3))), fill=tint, width=2)


def _draw_thing(draw: ImageDraw.ImageDraw, thing: Thing, rng: random.Random) -> None:
    row, column = divmod(thing.cell, 3)
    x = (CELL_PIXELS * (column + 0.5) + rng.uniform(-_JITTER, _JITTER)) * _SUPERSAMPLE
    y = (CELL_PIXELS * (row + 0.5) + rng.uniform(-_JITTER, _JITTER)) * _SUPERSAMPLE
    radius = _RADIUS[thing.size] * rng.uniform(0.92, 1.08) * _SUPERSAMPLE
    fill = tuple(max(0, min(255, channel + rng.randint(-10, 10))) for channel in COLORS[thing.color])
    edge = (236, 236, 236) if thing.color == "black" else (40, 40, 44)
    _draw_shape(draw, thing.shape, x, y, radius, fill, edge)


def _draw_shape(
    draw: ImageDraw.ImageDraw,
    shape: str,
    x: float,
    y: float,
    r: float,
    fill: tuple[int, ...],
    edge: tuple[int, int, int],
) -> None:
    if shape == "ball":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=edge, width=2)
    elif shape == "ring":
        draw.ellipse((x - r, y - r, x + r, y + r), outline=edge, width=int(r * 0.55) + 2)
        draw.ellipse((x - r + 2, y - r + 2, x + r - 2, y + r - 2), outline=fill, width=max(2, int(r * 0.55) - 2))
    else:
        draw.polygon([(x + r * px, y + r * py) for px, py in _OUTLINES[shape]], fill=fill, outline=edge, width=2)


def _star() -> list[tuple[float, float]]:
    points = []
    for k in range(10):
        radius = 1.1 if k % 2 == 0 else 0.45
        points.append((radius * math.sin(k * math.pi / 5), -radius * math.cos(k * math.pi / 5)))
    return points


def _heart() -> list[tuple[float, float]]:
    points = []
    for k in range(40):
        t = 2 * math.pi * k / 40
        wide = 16 * math.sin(t) ** 3
        high = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((wide / 16, -high / 16))
    return points


_OUTLINES: dict[str, list[tuple[float, float]]] = {
    "box": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "tent": [(0.0, -1.0), (1.05, 0.9), (-1.05, 0.9)],
    "star": _star(),
    "heart": _heart(),
    "kite": [(0.0, -1.1), (0.7, -0.15), (0.0, 1.1), (-0.7, -0.15)],
    "cross": [
        (-0.33, -1.0), (0.33, -1.0), (0.33, -0.33), (1.0, -0.33), (1.0, 0.33), (0.33, 0.33),
        (0.33, 1.0), (-0.33, 1.0), (-0.33, 0.33), (-1.0, 0.33), (-1.0, -0.33), (-0.33, -0.33),
    ],
}  # fmt: skip
