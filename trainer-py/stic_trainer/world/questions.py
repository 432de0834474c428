"""Questions about a scene and their answers.

``answer`` works on any list of things: the true scene, a glance at it, or what a description mentions. Where the asked
object is not in that list it falls back on a HABIT (stars are yellow, rings lie at the bottom), as language models answer
from what is usual when they did not look. That is the planted weakness of plain question answering.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stic_trainer.world.scene import CELLS, COLORS, SHAPES, Scene, Thing

SIMPLE_KINDS = ("object", "color", "shape", "place", "count", "exists")
MULTI_KINDS = ("count-color", "same-color", "above", "left", "both", "more")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

HABIT_COLOR = dict(zip(SHAPES, ("blue", "green", "purple", "yellow", "red", "pink", "orange", "black"), strict=True))
HABIT_SHAPE = {color: shape for shape, color in HABIT_COLOR.items()}
HABIT_CELL = dict(zip(SHAPES, (6, 8, 5, 2, 4, 1, 7, 3), strict=True))

Kind = tuple[str, str]
"""(color, shape)"""


@dataclass(frozen=True)
class Question:
    kind: str
    text: str
    first: Kind = ("", "")
    """The object asked about; an empty color or shape is not named in the question."""
    second: Kind = ("", "")
    cell: int = -1


def answer(question: Question, things: Sequence[Thing]) -> str:
    """The answer that follows from ``things`` and, where they are silent, from habit."""
    return _ANSWERS[question.kind](question, things)


def final_word(text: str) -> str:
    """The last word of an answer in lower case ("red and blue, so no." -> "no"); empty without words."""
    words = text.lower().replace(".", " ").replace(",", " ").split()
    return words[-1] if words else ""


def ask(kind: str, scene: Scene, rng: random.Random) -> Question | None:
    """A random question of ``kind`` with one true answer; None where this scene allows none for the answer drawn.

    The answer is drawn first where a kind has few of them, so that no answer is a safe guess.
    """
    return _ASKERS[kind](scene, rng)


def ask_any(kinds: Sequence[str], scene: Scene, rng: random.Random) -> Question:
    """A question of the first kind, in random order, that the scene allows."""
    for kind in rng.sample(tuple(kinds), len(kinds)):
        for _ in range(20):
            question = ask(kind, scene, rng)
            if question is not None:
                return question
    raise ValueError(f"the scene allows no question of the kinds {', '.join(kinds)}")


# Answers


def _named(things: Sequence[Thing], kind: Kind) -> list[Thing]:
    color, shape = kind
    return [thing for thing in things if color in ("", thing.color) and shape in ("", thing.shape)]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _color_of(things: Sequence[Thing], shape: str) -> str:
    found = _named(things, ("", shape))
    return found[0].color if found else HABIT_COLOR[shape]


def _cell_of(things: Sequence[Thing], shape: str) -> int:
    found = _named(things, ("", shape))
    return found[0].cell if found else HABIT_CELL[shape]


def _answer_object(question: Question, things: Sequence[Thing]) -> str:
    found = [thing for thing in things if thing.cell == question.cell]
    return f"{found[0].color} {found[0].shape}" if found else "nothing"


def _answer_color(question: Question, things: Sequence[Thing]) -> str:
    return _color_of(things, question.first[1])


def _answer_shape(question: Question, things: Sequence[Thing]) -> str:
    found = _named(things, question.first)
    return found[0].shape if found else HABIT_SHAPE[question.first[0]]


def _answer_place(question: Question, things: Sequence[Thing]) -> str:
    return CELLS[_cell_of(things, question.first[1])]


def _answer_count(question: Question, things: Sequence[Thing]) -> str:
    return NUMBERS[min(len(_named(things, question.first)), 9)]


def _answer_exists(question: Question, things: Sequence[Thing]) -> str:
    return _yes(bool(_named(things, question.first)))


def _answer_same_color(question: Question, things: Sequence[Thing]) -> str:
    first, second = _color_of(things, question.first[1]), _color_of(things, question.second[1])
    return f"{first} and {second}, so {_yes(first == second)}"


def _answer_above(question: Question, things: Sequence[Thing]) -> str:
    first, second = _cell_of(things, question.first[1]), _cell_of(things, question.second[1])
    return f"{CELLS[first]} and {CELLS[second]}, so {_yes(first // 3 < second // 3)}"


def _answer_left(question: Question, things: Sequence[Thing]) -> str:
    first, second = _cell_of(things, question.first[1]), _cell_of(things, question.second[1])
    return f"{CELLS[first]} and {CELLS[second]}, so {_yes(first % 3 < second % 3)}"


def _answer_both(question: Question, things: Sequence[Thing]) -> str:
    first, second = bool(_named(things, question.first)), bool(_named(things, question.second))
    return f"{_yes(first)} and {_yes(second)}, so {_yes(first and second)}"


def _answer_more(question: Question, things: Sequence[Thing]) -> str:
    first, second = len(_named(things, question.first)), len(_named(things, question.second))
    return f"{NUMBERS[min(first, 9)]} and {NUMBERS[min(second, 9)]}, so {_yes(first > second)}"


_ANSWERS: dict[str, Callable[[Question, Sequence[Thing]], str]] = {
    "object": _answer_object,
    "color": _answer_color,
    "shape": _answer_shape,
    "place": _answer_place,
    "count": _answer_count,
    "exists": _answer_exists,
    "count-color": _answer_count,
    "same-color": _answer_same_color,
    "above": _answer_above,
    "left": _answer_left,
    "both": _answer_both,
    "more": _answer_more,
}


# Questions


def _name(kind: Kind) -> str:
    words = " ".join(word for word in kind if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _once(values: Sequence[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count == 1]


def _lone_shapes(scene: Scene) -> list[str]:
    return _once([thing.shape for thing in scene.things])


def _ask_object(scene: Scene, rng: random.Random) -> Question | None:
    taken = [thing.cell for thing in scene.things]
    free = [cell for cell in range(len(CELLS)) if cell not in taken]
    cell = rng.choice(free if rng.random() < 0.2 else taken)
    return Question("object", f"What is at the {CELLS[cell]}?", cell=cell)


def _ask_color(scene: Scene, rng: random.Random) -> Question | None:
    shapes = _lone_shapes(scene)
    if not shapes:
        return None
    shape = rng.choice(shapes)
    return Question("color", f"What color is the {shape}?", ("", shape))


def _ask_shape(scene: Scene, rng: random.Random) -> Question | None:
    colors = _once([thing.color for thing in scene.things])
    if not colors:
        return None
    color = rng.choice(colors)
    return Question("shape", f"What is the {color} object?", (color, ""))


def _ask_place(scene: Scene, rng: random.Random) -> Question | None:
    shapes = _lone_shapes(scene)
    if not shapes:
        return None
    shape = rng.choice(shapes)
    return Question("place", f"Where is the {shape}?", ("", shape))


def _ask_count(scene: Scene, rng: random.Random) -> Question | None:
    return Question("count", "How many objects are there?")


def _absent(scene: Scene, rng: random.Random) -> Kind:
    """A kind of object that is not in the scene: half the time a real object with another color or shape."""
    present = {(thing.color, thing.shape) for thing in scene.things}
    while True:
        color, shape = rng.choice(tuple(COLORS)), rng.choice(SHAPES)
        if rng.random() < 0.5:
            thing = rng.choice(scene.things)
            color, shape = (thing.color, shape) if rng.random() < 0.5 else (color, thing.shape)
        if (color, shape) not in present:
            return color, shape


def _present(scene: Scene, rng: random.Random) -> Kind:
    thing = rng.choice(scene.things)
    return thing.color, thing.shape


def _ask_exists(scene: Scene, rng: random.Random) -> Question | None:
    kind = _present(scene, rng) if rng.random() < 0.5 else _absent(scene, rng)
    return Question("exists", f"Is there {_name(kind)}?", kind)


def _ask_count_color(scene: Scene, rng: random.Random) -> Question | None:
    wanted = rng.choices((0, 1, 2, 3), weights=(2, 3, 4, 3))[0]
    colors = [color for color in COLORS if sum(thing.color == color for thing in scene.things) == wanted]
    if not colors:
        return None
    color = rng.choice(colors)
    return Question("count-color", f"How many {color} objects are there?", (color, ""))


def _pair(
    scene: Scene, rng: random.Random, accept: Callable[[Thing, Thing], bool], *, yes: float = 0.5
) -> tuple[Thing, Thing] | None:
    """Two objects with shapes of their own for which ``accept`` has the value drawn, True with probability ``yes``."""
    lone = _lone_shapes(scene)
    things = [thing for thing in scene.things if thing.shape in lone]
    wanted = rng.random() < yes
    pairs = [(a, b) for a in things for b in things if a != b and accept(a, b) == wanted]
    return rng.choice(pairs) if pairs else None


def _ask_same_color(scene: Scene, rng: random.Random) -> Question | None:
    pair = _pair(scene, rng, lambda a, b: a.color == b.color, yes=0.75)
    if pair is None:
        return None
    first, second = pair[0].shape, pair[1].shape
    text = f"Do the {first} and the {second} have the same color?"
    return Question("same-color", text, ("", first), ("", second))


def _ask_above(scene: Scene, rng: random.Random) -> Question | None:
    pair = _pair(scene, rng, lambda a, b: a.cell // 3 < b.cell // 3)
    if pair is None:
        return None
    first, second = pair[0].shape, pair[1].shape
    return Question("above", f"Is the {first} above the {second}?", ("", first), ("", second))


def _ask_left(scene: Scene, rng: random.Random) -> Question | None:
    pair = _pair(scene, rng, lambda a, b: a.cell % 3 < b.cell % 3)
    if pair is None:
        return None
    first, second = pair[0].shape, pair[1].shape
    return Question("left", f"Is the {first} left of the {second}?", ("", first), ("", second))


def _ask_both(scene: Scene, rng: random.Random) -> Question | None:
    if len(scene.things) < 2:
        return None
    a, b = rng.sample(scene.things, 2)
    first, second = (a.color, a.shape), (b.color, b.shape)
    if rng.random() < 0.5:
        first, second = rng.choice([(first, _absent(scene, rng)), (_absent(scene, rng), second)])
    return Question("both", f"Are there both {_name(first)} and {_name(second)}?", first, second)


def _ask_more(scene: Scene, rng: random.Random) -> Question | None:
    if len(scene.things) < 2:
        return None
    counts = {color: sum(thing.color == color for thing in scene.things) for color in COLORS}
    wanted = rng.random() < 0.6
    # Colors that are in the scene make the harder question; one that is absent is allowed on either side.
    pairs = [
        (a, b) for a in COLORS for b in COLORS if a != b and counts[a] + counts[b] > 1 and (counts[a] > counts[b]) == wanted
    ]
    if not pairs:
        return None
    first, second = rng.choice(pairs)
    text = f"Are there more {first} objects than {second} objects?"
    return Question("more", text, (first, ""), (second, ""))


_ASKERS: dict[str, Callable[[Scene, random.Random], Question | None]] = {
    "object": _ask_object,
    "color": _ask_color,
    "shape": _ask_shape,
    "place": _ask_place,
    "count": _ask_count,
    "exists": _ask_exists,
    "count-color": _ask_count_color,
    "same-color": _ask_same_color,
    "above": _ask_above,
    "left": _ask_left,
    "both": _ask_both,
    "more": _ask_more,
}
