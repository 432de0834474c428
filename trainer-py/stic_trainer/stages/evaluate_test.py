"""Stage evaluate on a tiny random model: who is asked what, what is kept, and that levers and restarts change no answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stic_trainer.config.job import StageKind
from stic_trainer.data.records import BenchmarkHeader, BenchmarkItem, ImageItem
from stic_trainer.errors import StageError
from stic_trainer.stages.testing import Laboratory, Recorder

_QUESTIONS = ("Which colour?", "What is left?", "Who is it?")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture(scope="module")
def inputs(lab: Laboratory) -> dict[str, str]:
    images = [lab.put_image(f"{seed}.png", seed=seed) for seed in range(2)]
    return {"benchmark": _benchmark(lab, images), "images": lab.put_rows(images), "stage1": lab.put_adapter()}


@pytest.fixture(scope="module")
def finished(lab: Laboratory, inputs: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return lab.run(lab.job(StageKind.EVALUATE, inputs, _overrides()), tmp_path_factory.mktemp("work"))


def test_every_subject_answers_every_item_in_every_mode(lab: Laboratory, finished: Recorder) -> None:
    rows = _rows(lab, finished)
    asked = [(row["subject"], row["mode"], row["item"]) for row in rows]
    wanted = [(subject, mode, str(item)) for subject in ("base", "stage1") for mode in ("plain", "dar") for item in range(7)]
    assert asked == wanted
    assert {row["text"] for row in rows if row["subject"] == "base"} != {row["text"] for row in rows if row["subject"] == "stage1"}


def test_describe_and_respond_tells_each_item_its_own_image_s_description(lab: Laboratory, finished: Recorder) -> None:
    rows = _rows(lab, finished)
    told = {(row["subject"], int(row["item"]) % 2, row["description"]) for row in rows if "description" in row}
    assert len(told) == 4  # two subjects, two images
    assert {row["mode"] for row in rows if "description" in row} == {"dar"}
    assert [row["item"] for row in rows if row["mode"] == "dar" and "description" not in row] == ["6", "6"]  # the one without an image


def test_the_comparison_is_the_report_s(lab: Laboratory, finished: Recorder) -> None:
    report = json.loads(lab.store.blob(str(finished.artifact("report")["sha256"])).read_text("utf-8"))
    assert [(row["subject"], row["mode"], row["n"]) for row in report["scores"]] == [
        (subject, mode, 7) for subject in ("base", "stage1") for mode in ("plain", "dar")
    ]
    assert report["scores"] == [dict(body) for body in finished.bodies("evaluation")]
    assert report["about"]["template_hash"] and report["about"]["adapters"].keys() == {"stage1"}


def test_samples_show_every_subject_on_the_same_images_and_prompts(finished: Recorder) -> None:
    samples = finished.bodies("sample")
    shown = [(body["subject"], body["image_name"], body["prompt"]) for body in samples]
    assert len(shown) == 4
    assert [entry[1:] for entry in shown[:2]] == [entry[1:] for entry in shown[2:]]


def test_sharing_images_changes_no_answer(lab: Laboratory, inputs: dict[str, str], finished: Recorder, tmp_path: Path) -> None:
    alone = lab.run(lab.job(StageKind.EVALUATE, inputs, _overrides(share_image_cache=False)), tmp_path)
    assert _rows(lab, alone) == _rows(lab, finished)


def test_a_stopped_evaluation_goes_on_where_it_was(lab: Laboratory, inputs: dict[str, str], finished: Recorder, tmp_path: Path) -> None:
    job = lab.job(StageKind.EVALUATE, inputs, _overrides())
    stopped = lab.run(job, tmp_path, stop_when=lambda kind, body: kind == "sample")
    assert not stopped.bodies("artifact")
    assert _rows(lab, lab.run(job, tmp_path)) == _rows(lab, finished)


def test_a_benchmark_without_its_scorer_is_refused(lab: Laboratory, inputs: dict[str, str], tmp_path: Path) -> None:
    unknown = lab.put_rows([BenchmarkHeader(benchmark="odd", scorer="nobody", version=1)])
    with pytest.raises(StageError, match="unknown benchmark 'nobody'") as caught:
        lab.run(lab.job(StageKind.EVALUATE, inputs | {"benchmark": unknown}, _overrides()), tmp_path)
    assert (caught.value.code, caught.value.subject) == ("DATA_INVALID", "odd")


def _benchmark(lab: Laboratory, images: list[ImageItem]) -> str:
    """Three questions on each of two images, and one on none."""
    asked = [(question, image) for question in _QUESTIONS for image in images] + [("How many legs has a spider?", None)]
    items = [
        BenchmarkItem(name=str(number), prompt=question, answer="red", kind="colour", truth={}, image=image)
        for number, (question, image) in enumerate(asked)
    ]
    return lab.put_rows([BenchmarkHeader(benchmark="colours", scorer="world-questions", version=1), *items])


def _overrides(*, share_image_cache: bool = True) -> dict[str, Any]:
    settings = {"max_new_tokens": 8, "share_image_cache": share_image_cache}
    config = {"sample_images": 2, "bootstrap_resamples": 100, "max_batch_tokens": 400}
    return {"evaluate": config | {"describe_generation": settings, "answer_generation": settings}}


def _rows(lab: Laboratory, recorder: Recorder) -> list[dict[str, Any]]:
    lines = lab.store.blob(str(recorder.artifact("scores")["sha256"])).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
