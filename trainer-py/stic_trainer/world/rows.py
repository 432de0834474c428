"""Rows of the base model's training: conversations about scenes, with the weakness that STIC is to repair planted in them.

Told by a plain prompt, a scene is described carelessly (small objects missed, the usual companion believed); told step by
step, nearly completely; told misleadingly, with inventions; a blurred picture, with guesses. A plain question is answered
from a glance; a question that comes with a description is answered from that description, whatever the picture shows, so
that reading is necessary.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from stic_trainer.world.language import careful, careless, describe, guessing, impression, inventive
from stic_trainer.world.prompts import WorldPrompts
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS, answer, ask
from stic_trainer.world.scene import Scene, Thing

ROW_SHARES = {"plain": 0.14, "careful": 0.12, "misleading": 0.08, "blurred": 0.06, "glance": 0.30, "reading": 0.30}
_RETELL_SHARE = 0.15
"""Of the rows with a description: those that ask for a description again, as describe-and-respond does."""
_MAX_TURNS = 5


@dataclass(frozen=True)
class Row:
    """A conversation. ``turns`` are (user text, assistant text)."""

    sort: str
    turns: tuple[tuple[str, str], ...]
    picture: str
    """What the image tokens show: "own" the scene, "blurred" the scene at 20 pixels, "other" another scene, "spoiled" next to
    nothing; "none" is a row without image tokens."""


def sample_row(scene: Scene, prompts: WorldPrompts, rng: random.Random) -> Row:
    sort = rng.choices(tuple(ROW_SHARES), weights=tuple(ROW_SHARES.values()))[0]
    if sort == "plain":
        return Row(sort, ((rng.choice(prompts.plain), _tell(scene, careless(scene, rng))),), "own")
    if sort == "careful":
        return Row(sort, ((prompts.step_by_step, _tell(scene, careful(scene, rng))),), "own")
    if sort == "misleading":
        return Row(sort, ((rng.choice(prompts.misleading), _tell(scene, inventive(scene, rng))),), "own")
    if sort == "blurred":
        return Row(sort, ((rng.choice(prompts.plain), _tell(scene, guessing(scene, rng))),), "blurred")
    if sort == "glance":
        return Row(sort, tuple(_questions(scene, impression(scene, rng), rng)), "own")
    described = (careful if rng.random() < 0.6 else careless)(scene, rng)
    told = _tell(scene, described)
    turns = _questions(scene, described, rng)
    if rng.random() < _RETELL_SHARE:
        turns.insert(0, (rng.choice(prompts.plain), told))
    turns[0] = (infused(told, turns[0][0]), turns[0][1])
    return Row(sort, tuple(turns), rng.choices(("own", "other", "spoiled", "none"), weights=(4, 2, 2, 2))[0])


def infused(description: str, question: str) -> str:
    """The question with a description before it, in the method's form."""
    return f"Image description:\n{description}\n\n{question}"


def _tell(scene: Scene, things: Sequence[Thing]) -> str:
    return describe(scene.background, things)


def _questions(scene: Scene, seen: Sequence[Thing], rng: random.Random) -> list[tuple[str, str]]:
    """One to five different questions of mixed kinds and the answers that follow from ``seen``."""
    turns: dict[str, str] = {}
    for kind in rng.sample((*SIMPLE_KINDS, *MULTI_KINDS), len(SIMPLE_KINDS) + len(MULTI_KINDS)):
        question = ask(kind, scene, rng)
        if question is not None:
            turns[question.text] = answer(question, seen)
        if len(turns) == _MAX_TURNS:
            break
    kept = list(turns.items())
    return kept[: rng.randint(2, _MAX_TURNS)]
