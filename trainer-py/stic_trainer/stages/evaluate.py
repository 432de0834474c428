"""Base, stage 1 and stage 2 on every benchmark, answering plainly and with describe-and-respond, item by item comparable.

All of them in one run with one chat template: the difference to the model as it was before (base, plain) comes with the
interval of a paired bootstrap, and so does that of the run's last checkpoint to the champion, where there is one. Sample
descriptions of the same images with the same prompts show the change in words.

Reads benchmarks, images and the adapters stage1, stage2 and champion (where there are such). Writes scores, per item, and the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from stic_trainer.config.job import GenerationConfig, Job
from stic_trainer.data.order import sample_without_replacement
from stic_trainer.data.records import ImageItem, read_rows, write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.method.infusion import infuse
from stic_trainer.method.prompts import pick_plain
from stic_trainer.modeling.canary import Question, rows_of
from stic_trainer.modeling.generation import Request
from stic_trainer.modeling.policy import Policy
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.comparison import Arm, Exam, Grade, compare, compare_with_champion, grade, read_exams
from stic_trainer.stages.images import image_file
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.stage_setup import load_adapter, metadata, open_policy
from stic_trainer.stages.texts import Texts, write_texts

_ADAPTERS = ("champion", "stage1", "stage2")
_DESCRIPTION_WORK = 8.0
"""How many short answers take as long as one description, for the estimate of the time left: their usual lengths, roughly."""


def run(job: Job, ctx: StageContext) -> None:
    config = job.recipe.evaluate
    exams = read_exams(job, ctx)
    images = list(read_rows(ctx.store.blob(job.input("images").sha256), ImageItem)) if job.inputs_of("images") else []
    samples = [images[index] for index in sample_without_replacement(job.recipe.seed, len(images), config.sample_images)]
    policy = open_policy(job, ctx)
    subjects = ["base"]
    for role in _ADAPTERS:
        for adapter in job.inputs_of(role):
            load_adapter(policy, ctx, adapter, rows_of(policy, _questions(ctx, exams)), subject=role, name=role)
            subjects.append(role)
    samples = samples if config.sample_images else []
    writer = _Writer(job, ctx, policy, size=_size_of_a_subject(exams, config.modes, len(samples)) * len(subjects))

    for subject in subjects:
        _describe_samples(writer, subject, samples)
    grades: list[Grade] = []
    for subject in subjects:
        for mode in config.modes:
            for exam, texts in zip(exams, _sit(writer, exams, subject, mode), strict=True):
                grades.append(grade(exam, Arm(subject, mode), texts))
    grades.sort(key=lambda each: exams.index(each.exam))
    comparison = compare(exams, grades, resamples=config.bootstrap_resamples, seed=job.recipe.seed)
    comparison += compare_with_champion(exams, grades, subjects[-1], resamples=config.bootstrap_resamples, seed=job.recipe.seed)
    for score in comparison:
        ctx.evaluation(score)
    facts = metadata(policy, job)
    scores = ctx.work / "scores.jsonl"
    count = write_rows(scores, (row for each in grades for row in each.rows()))
    ctx.publish_blob("scores", scores, "application/jsonl", count, facts)
    report = ctx.work / "report.json"
    about = facts | {"adapters": {role: item.sha256 for role in _ADAPTERS for item in job.inputs_of(role)}}
    body = {"about": about, "modes": config.modes, "resamples": config.bootstrap_resamples, "scores": comparison}
    report.write_text(json.dumps(body, sort_keys=True, indent=1) + "\n", "utf-8")
    ctx.publish_blob("report", report, "application/json", len(comparison), facts)


def _questions(ctx: StageContext, exams: Sequence[Exam]) -> Iterator[Question]:
    """The benchmarks' items in turn: one with an image is among the first wherever a benchmark has images."""
    for items in zip_longest(*(exam.items for exam in exams)):
        yield from ((item.prompt, image_file(ctx, item.image) if item.image else None) for item in items if item)


@dataclass(frozen=True)
class _Size:
    """Texts, and what they cost in short answers."""

    texts: int = 0
    work: float = 0.0

    def __add__(self, other: _Size) -> _Size:
        return _Size(self.texts + other.texts, self.work + other.work)

    def __mul__(self, times: int) -> _Size:
        return _Size(self.texts * times, self.work * times)


def _size_of_a_subject(exams: Sequence[Exam], modes: Sequence[str], num_samples: int) -> _Size:
    """What one subject writes; with DaR also one description an image."""
    images = len({item.image.sha256 for exam in exams for item in exam.items if item.image})
    size = _descriptions(num_samples)
    for mode in modes:
        size += _answers(exams) + _descriptions(images if mode == "dar" else 0)
    return size


def _descriptions(count: int) -> _Size:
    return _Size(count, count * _DESCRIPTION_WORK)


def _answers(exams: Sequence[Exam]) -> _Size:
    """An item without an answer to compare with asks for a description."""
    items = [item for exam in exams for item in exam.items]
    return _Size(len(items), sum(_DESCRIPTION_WORK if item.answer is None else 1.0 for item in items))


class _Writer:
    """Texts of any subject, kept in the work folder, with one count over the stage and one of items that were refused."""

    def __init__(self, job: Job, ctx: StageContext, policy: Policy, *, size: _Size) -> None:
        self.job, self.ctx, self.policy = job, ctx, policy
        self.skipped = Skipped(ctx, total=1, stage="evaluate", max_fraction=None)
        self._written, self._size = _Size(), size

    def write(self, subject: str, requests: Sequence[Request], settings: GenerationConfig, phase: str, size: _Size) -> Texts:
        """``size`` is that of all the requests."""

        def on_progress(texts: Texts) -> None:
            done = len(texts.said) + len(texts.refused)
            work = self._written.work + size.work * done / max(1, len(requests))
            self.ctx.progress(
                self._written.texts + done, self._size.texts, unit="texts", phase=phase, work=(work, max(work, self._size.work))
            )

        with self.policy.adapters.using(None if subject == "base" else subject):
            texts = write_texts(
                self.ctx,
                self.policy,
                requests,
                settings,
                max_batch_tokens=self.job.recipe.evaluate.max_batch_tokens,
                journal=f"{self._source(subject)}.jsonl",
                on_progress=on_progress,
            )
        for key, refusal in texts.refused.items():
            self.skipped.add(key, refusal.code, refusal.reason)
        self._written += _Size(len(requests), size.work)
        return texts

    def _source(self, subject: str) -> str:
        """Names whose texts these are: a later attempt may meet another champion, and must not take up the earlier one's."""
        return f"champion-{self.job.input(subject).sha256}" if subject == "champion" else subject

    def seed(self, name: str) -> int:
        return item_seed(self.job.recipe.seed, "evaluate", name)


def _describe_samples(writer: _Writer, subject: str, samples: Sequence[ImageItem]) -> None:
    """The same images and prompts for every subject."""
    job, ctx = writer.job, writer.ctx
    prompts = {image.name: pick_plain(writer.seed(image.name), job.recipe.prompts.plain) for image in samples}
    requests = [Request(f"sample/{image.name}", prompts[image.name], image_file(ctx, image), writer.seed(image.name)) for image in samples]
    texts = writer.write(subject, requests, job.recipe.evaluate.describe_generation, f"samples: {subject}", _descriptions(len(requests)))
    for image in samples:
        if f"sample/{image.name}" in texts.said:
            ctx.sample(subject, image.ref, prompts[image.name], texts.said[f"sample/{image.name}"])


def _sit(writer: _Writer, exams: Sequence[Exam], subject: str, mode: str) -> list[dict[str, tuple[str, str | None]]]:
    """Per exam the answers by item, each with the description it was given.

    All exams are sat at once, so that questions on one image meet; DaR's first turn is made once per subject and image.
    """
    job, ctx = writer.job, writer.ctx
    config = job.recipe.evaluate
    described = _describe(writer, exams, subject) if mode == "dar" else {}
    requests: list[Request] = []
    given: list[dict[str, tuple[str, str | None]]] = []
    for exam in exams:
        asked: dict[str, tuple[str, str | None]] = {}
        for item in exam.items:
            image = image_file(ctx, item.image) if item.image else None
            description = described.get(item.image.sha256) if mode == "dar" and item.image else None
            if mode == "dar" and item.image and description is None:
                continue
            question = item.prompt
            if description is not None:
                question = infuse(job.recipe.infuse.template, description=description, question=question)
            key = f"{exam.name}/{mode}/{item.name}"
            asked[item.name] = (key, description)
            requests.append(Request(key, question, image, writer.seed(f"{exam.name}/{item.name}")))
        given.append(asked)
    texts = writer.write(subject, requests, config.answer_generation, f"{mode}: {subject} answers", _answers(exams))
    return [{name: (texts.said[key], told) for name, (key, told) in asked.items() if key in texts.said} for asked in given]


def _describe(writer: _Writer, exams: Sequence[Exam], subject: str) -> dict[str, str]:
    """The subject's own description of every image, by the image's sha256."""
    job, ctx = writer.job, writer.ctx
    images = {item.image.sha256: image_file(ctx, item.image) for exam in exams for item in exam.items if item.image}
    prompt = job.recipe.prompts.describe_and_respond
    turns = [Request(f"dar/{sha256}", prompt, image, writer.seed(sha256)) for sha256, image in images.items()]
    texts = writer.write(subject, turns, job.recipe.evaluate.describe_generation, f"dar: {subject} describes", _descriptions(len(turns)))
    return {sha256: texts.said[f"dar/{sha256}"] for sha256 in images if f"dar/{sha256}" in texts.said}
