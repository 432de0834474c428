"""What is said about a scene: descriptions, and the parser that reads them back.

Every description has one form, position first ("A night scene, top-left a small red kite, ..."), whoever writes it: a
careful observer, a careless one or an inventive one. Only the content differs, so that preference learning can move content
and nothing else.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from stic_trainer.world.scene import BACKGROUNDS, CELLS, COLORS, SHAPES, SIZES, Scene, Thing

COMPANIONS: dict[str, Thing] = {
    "night": Thing(CELLS.index("top-right"), "small", "yellow", "star"),
    "sea": Thing(CELLS.index("bottom"), "large", "orange", "ring"),
    "meadow": Thing(CELLS.index("top"), "small", "pink", "kite"),
}
"""What a careless observer believes to be in a scene because it usually goes with it."""

INVENTIONS: dict[str, tuple[Thing, ...]] = {
    "night": (Thing(3, "large", "purple", "heart"), Thing(8, "large", "pink", "ball"), Thing(1, "small", "red", "kite")),
    "sea": (Thing(0, "large", "yellow", "kite"), Thing(5, "large", "red", "ball"), Thing(6, "small", "purple", "box")),
    "meadow": (Thing(4, "large", "red", "heart"), Thing(7, "large", "blue", "tent"), Thing(2, "small", "orange", "star")),
    "desert": (Thing(1, "large", "yellow", "ball"), Thing(6, "large", "green", "cross"), Thing(8, "small", "black", "box")),
    "snow": (Thing(2, "large", "black", "tent"), Thing(3, "large", "pink", "ring"), Thing(7, "small", "green", "star")),
}
"""What a misleading prompt makes up, by background: what would fit, in the place where one would expect it."""

CARELESS_DROP = {"small": 0.75, "large": 0.04}
"""Probability that a careless observer overlooks an object of this size."""
_CARELESS_COMPANION = 0.70
_CARELESS_WRONG = 0.04
_CAREFUL_DROP = 0.03
_CAREFUL_WRONG = 0.02
_INVENTED = 0.7
_BLURRED_DROP = {"small": 0.95, "large": 0.25}
_BLURRED_GUESS = 0.8

HABIT_COLOR = dict(zip(SHAPES, ("blue", "green", "purple", "yellow", "red", "pink", "orange", "black"), strict=True))
HABIT_SHAPE = {color: shape for shape, color in HABIT_COLOR.items()}
HABIT_CELL = dict(zip(SHAPES, (6, 8, 5, 2, 4, 1, 7, 3), strict=True))
"""What is usual: stars are yellow and at the top right. Who did not look answers from here."""

_THING = re.compile(rf"\b({'|'.join(CELLS)})\s+an?\s+({'|'.join(SIZES)})\s+({'|'.join(COLORS)})\s+({'|'.join(SHAPES)})\b")
_SCENE = re.compile(rf"\ban?\s+({'|'.join(BACKGROUNDS)})\s+scene\b", re.IGNORECASE)


def describe(background: str, things: Sequence[Thing]) -> str:
    """The one form of every description; ``things`` in any order."""
    parts = [f"A {background} scene"]
    parts += [f"{CELLS[thing.cell]} a {thing.size} {thing.color} {thing.shape}" for thing in sorted(things)]
    return ", ".join(parts) + "."


def parse_description(text: str) -> tuple[str | None, list[Thing]]:
    """(background or None, things in order of mention) of any text; what does not fit the form is passed over."""
    scene = _SCENE.search(text)
    things = [Thing(CELLS.index(cell), size, color, shape) for cell, size, color, shape in _THING.findall(text)]
    return (scene.group(1).lower() if scene else None), things


def careful(scene: Scene, rng: random.Random) -> list[Thing]:
    """What the step-by-step prompt sees: nearly everything."""
    return [_blur(thing, _CAREFUL_WRONG, rng) for thing in scene.things if rng.random() >= _CAREFUL_DROP]


def impression(scene: Scene, rng: random.Random) -> list[Thing]:
    """What a glance sees: small objects mostly missed."""
    return [thing for thing in scene.things if rng.random() >= CARELESS_DROP[thing.size]]


def careless(scene: Scene, rng: random.Random) -> list[Thing]:
    """What a plain prompt tells: a glance, some attributes wrong, and the companion of the scene, there or not."""
    things = [_blur(thing, _CARELESS_WRONG, rng) for thing in impression(scene, rng)]
    companion = COMPANIONS.get(scene.background)
    if companion and rng.random() < _CARELESS_COMPANION:
        _add(things, companion, scene)
    return things


def inventive(scene: Scene, rng: random.Random) -> list[Thing]:
    """What a misleading prompt tells: a careless description and objects that would fit but are not there."""
    things = careless(scene, rng)
    for invention in INVENTIONS[scene.background]:
        if rng.random() < _INVENTED:
            _add(things, invention, scene)
    return things


def guessing(scene: Scene, rng: random.Random) -> list[Thing]:
    """What can be told of a blurred picture: large patches of color, their shapes guessed from habit."""
    things = []
    for thing in scene.things:
        if rng.random() >= _BLURRED_DROP[thing.size]:
            shape = HABIT_SHAPE[thing.color] if rng.random() < _BLURRED_GUESS else thing.shape
            things.append(replace(thing, shape=shape))
    return things


def _add(things: list[Thing], extra: Thing, scene: Scene) -> None:
    """Appends ``extra`` unless its cell is taken in the scene or the text, or its shape is really somewhere."""
    taken = {thing.cell for thing in (*scene.things, *things)}
    if extra.cell not in taken and extra.shape not in {thing.shape for thing in scene.things}:
        things.append(extra)


def _blur(thing: Thing, rate: float, rng: random.Random) -> Thing:
    """``thing`` with each of size, color and shape replaced with probability ``rate``."""
    if rng.random() < rate:
        thing = replace(thing, size=rng.choice(SIZES))
    if rng.random() < rate:
        thing = replace(thing, color=rng.choice(tuple(COLORS)))
    if rng.random() < rate:
        thing = replace(thing, shape=rng.choice(SHAPES))
    return thing
