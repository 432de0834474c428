"""Answers into grades, and grades into the comparison: every arm on the same items, against base in plain mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stic_trainer.benchmarks.bootstrap import paired_bootstrap
from stic_trainer.benchmarks.protocol import Benchmark, Item
from stic_trainer.benchmarks.registry import find_benchmark
from stic_trainer.config.job import Job
from stic_trainer.data.order import sample_without_replacement
from stic_trainer.data.records import BenchmarkItem, read_benchmark
from stic_trainer.errors import StageError
from stic_trainer.runtime.context import StageContext


@dataclass(frozen=True)
class Exam:
    """A benchmark's items and who scores them."""

    name: str
    benchmark: Benchmark
    items: list[BenchmarkItem]


@dataclass(frozen=True)
class Arm:
    subject: str
    """base | champion | stage1 | stage2"""
    mode: str
    """plain | dar"""


@dataclass(frozen=True)
class Grade:
    """One arm's scores on one benchmark: item -> metric -> 0..1."""

    exam: Exam
    arm: Arm
    scores: dict[str, dict[str, float]]
    texts: Mapping[str, tuple[str, str | None]]

    def rows(self) -> Iterator[dict[str, Any]]:
        for name, scores in self.scores.items():
            text, description = self.texts[name]
            row = {"benchmark": self.exam.name, "item": name, "subject": self.arm.subject, "mode": self.arm.mode}
            yield row | {"scores": scores, "text": text} | ({} if description is None else {"description": description})


def read_exams(job: Job, ctx: StageContext) -> list[Exam]:
    """StageError DATA_INVALID for an unknown scorer."""
    exams: list[Exam] = []
    for source in job.inputs_of("benchmark"):
        header, items = read_benchmark(ctx.store.blob(source.sha256))
        drawn = sample_without_replacement(job.recipe.seed, len(items), job.recipe.evaluate.max_items)
        try:
            exams.append(Exam(header.benchmark, find_benchmark(header.scorer), [items[index] for index in drawn]))
        except ValueError as error:
            raise StageError("DATA_INVALID", str(error), source.name or header.benchmark) from error
    return exams


def grade(exam: Exam, arm: Arm, texts: Mapping[str, tuple[str, str | None]]) -> Grade:
    """StageError DATA_INVALID for an item that the benchmark cannot score."""
    scores: dict[str, dict[str, float]] = {}
    for item in exam.items:
        if item.name in texts:
            try:
                scores[item.name] = exam.benchmark.score(_item(item), texts[item.name][0])
            except ValueError as error:
                raise StageError("DATA_INVALID", str(error), f"{exam.name}/{item.name}") from error
    return Grade(exam, arm, scores, texts)


def compare(exams: Sequence[Exam], grades: Sequence[Grade], *, resamples: int, seed: int) -> list[dict[str, Any]]:
    """Rows with the fields of EvaluationScore, over the items that every arm of a benchmark answered: against base, plain."""
    rows: list[dict[str, Any]] = []
    for exam in exams:
        arms, items = _sat(exam, grades)
        if items:
            before = next((each for each in arms if each.arm == Arm("base", "plain")), arms[0])
            for each in arms:
                rows += _rows(each, before, items, versus="", resamples=resamples, seed=seed)
    return rows


def compare_with_champion(
    exams: Sequence[Exam], grades: Sequence[Grade], candidate: str, *, resamples: int, seed: int
) -> list[dict[str, Any]]:
    """The same of one subject, each mode against the champion in that mode. No rows without a champion."""
    rows: list[dict[str, Any]] = []
    for exam in exams:
        arms, items = _sat(exam, grades)
        by_arm = {each.arm: each for each in arms}
        for each in arms:
            champion = by_arm.get(Arm("champion", each.arm.mode))
            if items and champion is not None and each.arm.subject == candidate:
                rows += _rows(each, champion, items, versus="champion", resamples=resamples, seed=seed)
    return rows


def _sat(exam: Exam, grades: Sequence[Grade]) -> tuple[list[Grade], list[BenchmarkItem]]:
    """The arms that took part in an exam, and the items all of them answered."""
    arms = [each for each in grades if each.exam is exam]
    items = [item for item in exam.items if all(item.name in each.scores for each in arms)]
    return arms, items if arms else []


def _rows(
    mine: Grade, theirs: Grade, items: Sequence[BenchmarkItem], *, versus: str, resamples: int, seed: int
) -> Iterator[dict[str, Any]]:
    exam = mine.exam
    majority = exam.benchmark.baseline([_item(item) for item in items])
    for metric in exam.benchmark.metrics:
        ours = [mine.scores[item.name][metric.name] for item in items]
        interval = paired_bootstrap([theirs.scores[item.name][metric.name] for item in items], ours, seed=seed, resamples=resamples)
        yield {
            "benchmark": exam.name,
            "metric": metric.name,
            "primary": metric.primary,
            "higher_is_better": metric.higher_is_better,
            "subject": mine.arm.subject,
            "mode": mine.arm.mode,
            "n": len(items),
            "value": 100 * sum(ours) / len(items),
            "difference": interval.difference,
            "low": interval.low,
            "high": interval.high,
            "majority": majority.get(metric.name, -1.0),
            "versus": versus,
        }


def _item(item: BenchmarkItem) -> Item:
    image = item.image.name if item.image else None
    return Item(id=item.name, prompt=item.prompt, image=image, answer=item.answer, kind=item.kind, truth=item.truth)
