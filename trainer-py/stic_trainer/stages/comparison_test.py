"""Grades and the comparison, on answers written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from stic_trainer.benchmarks.registry import find_benchmark
from stic_trainer.data.records import BenchmarkItem
from stic_trainer.errors import StageError
from stic_trainer.stages.comparison import Arm, Exam, compare, grade

_ANSWERS = {"one": "red", "two": "red", "three": "blue", "four": "red"}
_BASE, _STAGE1 = Arm("base", "plain"), Arm("stage1", "dar")


def test_a_grade_scores_every_answered_item_and_keeps_what_was_said() -> None:
    grades = grade(_exam(), _STAGE1, {"one": ("it is red", "A red box."), "three": ("red", None)})
    assert grades.scores == {"one": {"accuracy": 1.0}, "three": {"accuracy": 0.0}}
    common = {"benchmark": "colours", "subject": "stage1", "mode": "dar"}
    assert list(grades.rows()) == [
        {**common, "item": "one", "scores": {"accuracy": 1.0}, "text": "it is red", "description": "A red box."},
        {**common, "item": "three", "scores": {"accuracy": 0.0}, "text": "red"},
    ]


def test_an_item_without_an_answer_is_named() -> None:
    with pytest.raises(StageError, match="no 'answer'") as caught:
        grade(_exam({"five": None}), _BASE, {"five": ("red", None)})
    assert (caught.value.code, caught.value.subject) == ("DATA_INVALID", "colours/five")


def test_every_arm_is_compared_on_the_same_items_with_base_as_it_was() -> None:
    exam = _exam()
    base = grade(exam, _BASE, _said("red", "blue", "red", "blue"))
    better = grade(exam, _STAGE1, _said("red", "red", "blue", None))
    rows = compare([exam], [better, base], resamples=200, seed=1)
    assert [(row["subject"], row["mode"], row["n"], row["value"], row["difference"]) for row in rows] == [
        ("stage1", "dar", 3, 100.0, pytest.approx(200 / 3)),
        ("base", "plain", 3, pytest.approx(100 / 3), 0.0),
    ]
    assert all(row["low"] <= row["difference"] <= row["high"] for row in rows)
    assert [row["majority"] for row in rows] == [pytest.approx(200 / 3)] * 2
    assert rows[0]["metric"] == "accuracy" and rows[0]["primary"] and rows[0]["higher_is_better"]


def test_a_benchmark_that_no_arm_could_answer_has_no_row() -> None:
    exam = _exam()
    assert compare([exam], [grade(exam, _BASE, {})], resamples=10, seed=1) == []


def _exam(answers: Mapping[str, str | None] = _ANSWERS) -> Exam:
    items = [
        BenchmarkItem(name=name, prompt="Which colour?", answer=answer, kind="colour", truth={}, image=None)
        for name, answer in answers.items()
    ]
    return Exam("colours", find_benchmark("world-questions"), items)


def _said(*texts: str | None) -> dict[str, tuple[str, str | None]]:
    return {name: (text, None) for name, text in zip(_ANSWERS, texts, strict=True) if text is not None}
