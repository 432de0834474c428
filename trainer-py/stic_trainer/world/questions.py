"""Questions about a scene and their answers.

``answer`` works on any list of things: the true scene, a glance at it, or what a description mentions. Where the asked
object is not in that list it falls back on a HABIT (stars are yellow, rings lie at the bottom), as language models answer
from what is usual when they did not look. That is the planted weakness of plain question answering.

An answer is a short sentence that repeats what was asked before it says the result ("the kite is red"): a small model
learns that many times faster than the bare result. Only the last words are scored, ``result``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stic_trainer.world.language import HABIT_CELL, HABIT_COLOR, HABIT_SHAPE
from stic_trainer.world.scene import CELLS, COLORS, SHAPES, Scene, Thing

SIMPLE_KINDS = ("object", "color", "shape", "place", "count", "exists")
MULTI_KINDS = ("count-color", "same-color", "above", "left", "both", "more")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

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


def result(question: Question, sentence: str) -> str:
    """The part of an answer that is scored: "red kite" of "top-left a large red kite", "no" of "..., so no"."""
    words = sentence.split()
    return " ".join(words[-2:]) if question.kind == "object" and words[-1] != "nothing" else words[-1]


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


def _color(things: Sequence[Thing], shape: str) -> str:
    found = _named(things, ("", shape))
    return found[0].color if found else HABIT_COLOR[shape]


def _cell(things: Sequence[Thing], shape: str) -> int:
    found = _named(things, ("", shape))
    return found[0].cell if found else HABIT_CELL[shape]


def _number(things: Sequence[Thing], kind: Kind) -> int:
    return min(len(_named(things, kind)), len(NUMBERS) - 1)


def _color_clause(things: Sequence[Thing], shape: str) -> str:
    return f"the {shape} is {_color(things, shape)}"


def _cell_clause(things: Sequence[Thing], shape: str) -> str:
    return f"the {shape} is at {CELLS[_cell(things, shape)]}"


def _number_clause(things: Sequence[Thing], kind: Kind) -> str:
    return f"the {kind[0]} objects are {NUMBERS[_number(things, kind)]}"


def _there_clause(things: Sequence[Thing], kind: Kind) -> str:
    return f"{_name(kind)} is {'there' if _named(things, kind) else 'missing'}"


def _answer_object(question: Question, things: Sequence[Thing]) -> str:
    found = [thing for thing in things if thing.cell == question.cell]
    return f"{CELLS[question.cell]} " + (f"a {found[0].size} {found[0].color} {found[0].shape}" if found else "nothing")


def _answer_color(question: Question, things: Sequence[Thing]) -> str:
    return _color_clause(things, question.first[1])


def _answer_shape(question: Question, things: Sequence[Thing]) -> str:
    found = _named(things, question.first)
    return f"the {question.first[0]} object is a {found[0].shape if found else HABIT_SHAPE[question.first[0]]}"


def _answer_place(question: Question, things: Sequence[Thing]) -> str:
    return _cell_clause(things, question.first[1])


def _answer_count(question: Question, things: Sequence[Thing]) -> str:
    return NUMBERS[_number(things, question.first)]


def _answer_exists(question: Question, things: Sequence[Thing]) -> str:
    return f"{_there_clause(things, question.first)}, so {_yes(bool(_named(things, question.first)))}"


def _answer_count_color(question: Question, things: Sequence[Thing]) -> str:
    return _number_clause(things, question.first)


def _both(first: str, second: str, verdict: bool) -> str:
    return f"{first} and {second}, so {_yes(verdict)}"


def _answer_same_color(question: Question, things: Sequence[Thing]) -> str:
    a, b = question.first[1], question.second[1]
    return _both(_color_clause(things, a), _color_clause(things, b), _color(things, a) == _color(things, b))


def _answer_above(question: Question, things: Sequence[Thing]) -> str:
    a, b = question.first[1], question.second[1]
    return _both(_cell_clause(things, a), _cell_clause(things, b), _cell(things, a) // 3 < _cell(things, b) // 3)


def _answer_left(question: Question, things: Sequence[Thing]) -> str:
    a, b = question.first[1], question.second[1]
    return _both(_cell_clause(things, a), _cell_clause(things, b), _cell(things, a) % 3 < _cell(things, b) % 3)


def _answer_both(question: Question, things: Sequence[Thing]) -> str:
    a, b = question.first, question.second
    verdict = bool(_named(things, a)) and bool(_named(things, b))
    return _both(_there_clause(things, a), _there_clause(things, b), verdict)


def _answer_more(question: Question, things: Sequence[Thing]) -> str:
    a, b = question.first, question.second
    return _both(_number_clause(things, a), _number_clause(things, b), _number(things, a) > _number(things, b))


_ANSWERS: dict[str, Callable[[Question, Sequence[Thing]], str]] = {
    "object": _answer_object,
    "color": _answer_color,
    "shape": _answer_shape,
    "place": _answer_place,
    "count": _answer_count,
    "exists": _answer_exists,
    "count-color": _answer_count_color,
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


def _ask_exists(scene: Scene, rng: random.Random) -> Question | None:
    present = sorted({thing.shape for thing in scene.things})
    shape = rng.choice(present if rng.random() < 0.5 else [shape for shape in SHAPES if shape not in present])
    return Question("exists", f"Is there {_name(('', shape))}?", ("", shape))


def _ask_count_color(scene: Scene, rng: random.Random) -> Question | None:
    wanted = rng.choices((0, 1, 2, 3), weights=(2, 3, 4, 3))[0]
    colors = [color for color in COLORS if sum(thing.color == color for thing in scene.things) == wanted]
    if not colors:
        return None
    color = rng.choice(colors)
    return Question("count-color", f"How many {color} objects are there?", (color, ""))


def _pair(scene: Scene, rng: random.Random, accept: Callable[[Thing, Thing], bool], *, yes: float = 0.5) -> tuple[Thing, Thing] | None:
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
    present = sorted({thing.shape for thing in scene.things})
    if len(present) < 2:
        return None
    pair = rng.sample(present, 2)
    if rng.random() < 0.5:
        pair[rng.randrange(2)] = rng.choice([shape for shape in SHAPES if shape not in present])
    first, second = (("", shape) for shape in pair)
    return Question("both", f"Are there both {_name(first)} and {_name(second)}?", first, second)


def _ask_more(scene: Scene, rng: random.Random) -> Question | None:
    if len(scene.things) < 2:
        return None
    counts = {color: sum(thing.color == color for thing in scene.things) for color in COLORS}
    wanted = rng.random() < 0.6
    # Colors that are in the scene make the harder question; one that is absent is allowed on either side.
    pairs = [(a, b) for a in COLORS for b in COLORS if a != b and counts[a] + counts[b] > 1 and (counts[a] > counts[b]) == wanted]
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
