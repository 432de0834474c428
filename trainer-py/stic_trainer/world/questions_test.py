"""Answers follow from what is seen; where nothing is seen, from habit."""

import pytest

from stic_trainer.world import seeds
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS, Question, answer, ask, ask_any, result
from stic_trainer.world.scene import Thing, sample_scene

KITE = Thing(0, "large", "red", "kite")
BALL = Thing(4, "small", "blue", "ball")
BOX = Thing(8, "large", "red", "box")
THINGS = (KITE, BALL, BOX)


@pytest.mark.parametrize(
    ("question", "true", "unseen"),
    [
        (Question("object", "", cell=4), "center a small blue ball", "center nothing"),
        (Question("object", "", cell=1), "top nothing", "top nothing"),
        (Question("color", "", ("", "kite")), "the kite is red", "the kite is pink"),
        (Question("shape", "", ("black", "")), "the black object is a cross", "the black object is a cross"),
        (Question("shape", "", ("blue", "")), "the blue object is a ball", "the blue object is a ball"),
        (Question("place", "", ("", "ball")), "the ball is at center", "the ball is at bottom-left"),
        (Question("count", ""), "three", "zero"),
        (Question("exists", "", ("", "ball")), "a ball is there, so yes", "a ball is missing, so no"),
        (Question("exists", "", ("", "star")), "a star is missing, so no", "a star is missing, so no"),
        (Question("count-color", "", ("red", "")), "the red objects are two", "the red objects are zero"),
        (
            Question("same-color", "", ("", "kite"), ("", "box")),
            "the kite is red and the box is red, so yes",
            "the kite is pink and the box is green, so no",
        ),
        (
            Question("above", "", ("", "kite"), ("", "box")),
            "the kite is at top-left and the box is at bottom-right, so yes",
            "the kite is at top and the box is at bottom-right, so yes",
        ),
        (
            Question("left", "", ("", "box"), ("", "ball")),
            "the box is at bottom-right and the ball is at center, so no",
            "the box is at bottom-right and the ball is at bottom-left, so no",
        ),
        (
            Question("both", "", ("", "kite"), ("", "star")),
            "a kite is there and a star is missing, so no",
            "a kite is missing and a star is missing, so no",
        ),
        (
            Question("more", "", ("red", ""), ("blue", "")),
            "the red objects are two and the blue objects are one, so yes",
            "the red objects are zero and the blue objects are zero, so no",
        ),
    ],
)
def test_answers(question: Question, true: str, unseen: str) -> None:
    assert answer(question, THINGS) == true
    assert answer(question, ()) == unseen


def test_the_result_is_the_end_of_the_sentence() -> None:
    assert result(Question("object", ""), "center a small blue ball") == "blue ball"
    assert result(Question("object", ""), "center nothing") == "nothing"
    assert result(Question("more", ""), "the red objects are two and the blue objects are one, so yes") == "yes"


@pytest.mark.parametrize("kind", [*SIMPLE_KINDS, *MULTI_KINDS])
def test_no_answer_of_a_kind_is_a_safe_guess(kind: str) -> None:
    answers: dict[str, int] = {}
    for index in range(600):
        rng = seeds.stream(2003, "balance", index)
        scene = sample_scene(rng, min_objects=3)
        question = ask(kind, scene, rng)
        if question:
            word = result(question, answer(question, scene.things))
            answers[word] = answers.get(word, 0) + 1
    assert max(answers.values()) / sum(answers.values()) < 0.66, answers


def test_questions_are_reproducible_and_always_possible() -> None:
    for index in range(100):
        scene = sample_scene(seeds.stream(2003, "possible", index))
        first = ask_any(MULTI_KINDS, scene, seeds.stream(2003, "q", index))
        assert first == ask_any(MULTI_KINDS, scene, seeds.stream(2003, "q", index))
