"""Answers follow from what is seen; where nothing is seen, from habit."""

import pytest

from stic_trainer.world import seeds
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS, Question, answer, ask, ask_any, final_word
from stic_trainer.world.scene import Thing, sample_scene

KITE = Thing(0, "large", "red", "kite")
BALL = Thing(4, "small", "blue", "ball")
BOX = Thing(8, "large", "red", "box")
THINGS = (KITE, BALL, BOX)


@pytest.mark.parametrize(
    ("question", "true", "unseen"),
    [
        (Question("object", "", cell=4), "blue ball", "nothing"),
        (Question("object", "", cell=1), "nothing", "nothing"),
        (Question("color", "", ("", "kite")), "red", "pink"),
        (Question("shape", "", ("blue", "")), "ball", "ball"),
        (Question("place", "", ("", "box")), "bottom-right", "bottom-right"),
        (Question("place", "", ("", "ball")), "center", "bottom-left"),
        (Question("count", ""), "three", "zero"),
        (Question("exists", "", ("blue", "ball")), "yes", "no"),
        (Question("exists", "", ("red", "ball")), "no", "no"),
        (Question("count-color", "", ("red", "")), "two", "zero"),
        (Question("same-color", "", ("", "kite"), ("", "box")), "red and red, so yes", "pink and green, so no"),
        (Question("above", "", ("", "kite"), ("", "box")), "top-left and bottom-right, so yes", "top and bottom-right, so yes"),
        (Question("left", "", ("", "box"), ("", "ball")), "bottom-right and center, so no", "bottom-right and bottom-left, so no"),
        (Question("both", "", ("red", "kite"), ("red", "ball")), "yes and no, so no", "no and no, so no"),
        (Question("more", "", ("red", ""), ("blue", "")), "two and one, so yes", "zero and zero, so no"),
    ],
)
def test_answers(question: Question, true: str, unseen: str) -> None:
    assert answer(question, THINGS) == true
    assert answer(question, ()) == unseen


def test_the_last_word_counts() -> None:
    assert final_word("Red and blue, so No.") == "no"
    assert final_word("") == ""


@pytest.mark.parametrize("kind", [*SIMPLE_KINDS, *MULTI_KINDS])
def test_no_answer_of_a_kind_is_a_safe_guess(kind: str) -> None:
    answers: dict[str, int] = {}
    for index in range(600):
        rng = seeds.stream(2003, "balance", index)
        scene = sample_scene(rng, min_objects=3)
        question = ask(kind, scene, rng)
        if question:
            word = final_word(answer(question, scene.things))
            answers[word] = answers.get(word, 0) + 1
    assert max(answers.values()) / sum(answers.values()) < 0.66, answers


def test_questions_are_reproducible_and_always_possible() -> None:
    for index in range(100):
        scene = sample_scene(seeds.stream(2003, "possible", index))
        first = ask_any(MULTI_KINDS, scene, seeds.stream(2003, "q", index))
        assert first == ask_any(MULTI_KINDS, scene, seeds.stream(2003, "q", index))
