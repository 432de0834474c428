"""Pairs from images: what each is made of, and that an item's texts depend on nothing but the item."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stic_trainer.config.job import Job, StageKind
from stic_trainer.data.records import ImageItem, Pair, read_rows
from stic_trainer.errors import StageError
from stic_trainer.method.corruption import corruption_digest
from stic_trainer.method.sampling import fold
from stic_trainer.modeling.generation import Request, generate
from stic_trainer.modeling.testing import tiny_policy
from stic_trainer.modeling.vision import ImageFile
from stic_trainer.stages.testing import PROMPTS, Laboratory, Recorder

IMAGES = 10


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(tmp_path_factory.mktemp("laboratory"), "llava-next-llama")


@pytest.fixture(scope="module")
def images(laboratory: Laboratory) -> list[ImageItem]:
    sizes = [(40, 40), (70, 30), (120, 30)]
    return [laboratory.put_image(f"{at:02}.png", sizes[at % 3], seed=at) for at in range(IMAGES)]


@pytest.fixture(scope="module")
def plain_run(laboratory: Laboratory, images: list[ImageItem], tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return laboratory.run(_job(laboratory, images), tmp_path_factory.mktemp("plain"))


def _job(laboratory: Laboratory, images: list[ImageItem], overrides: dict[str, Any] | None = None, **more: Any) -> Job:
    return laboratory.job(StageKind.PREFER, {"images": laboratory.put_rows(images)}, overrides, **more)


def _pairs(laboratory: Laboratory, recorder: Recorder) -> list[Pair]:
    return list(read_rows(laboratory.store.blob(recorder.artifact("pairs")["sha256"]), Pair))


def _by_image(pairs: list[Pair]) -> dict[str, tuple[object, ...]]:
    """All of a pair but its place in the file."""
    return {pair.id: tuple(value for name, value in vars(pair).items() if name != "index") for pair in pairs}


def test_a_pair_says_what_it_was_made_of(laboratory: Laboratory, images: list[ImageItem], plain_run: Recorder) -> None:
    pairs = _pairs(laboratory, plain_run)
    assert sorted(pair.id for pair in pairs) == [image.name for image in images]
    assert [pair.index for pair in pairs] == list(range(IMAGES))
    assert {pair.made_by for pair in pairs} == {"misleading_prompt", "low_resolution", "color_jitter"}
    for pair in pairs:
        assert pair.prompt in ("Describe.", "What is it?") and pair.chosen != pair.rejected
        if pair.made_by == "misleading_prompt":
            assert (pair.rejected_prompt, pair.corrupted_image) == ("Invent.", None)
        else:
            assert pair.rejected_prompt == pair.prompt and pair.corrupted_image not in (None, pair.image.sha256)
            assert laboratory.store.blob(str(pair.corrupted_image)).exists()


def test_each_side_is_what_the_model_says_to_its_prompt_and_image(laboratory: Laboratory, plain_run: Recorder) -> None:
    """Asked again, one at a time: the step-by-step prompt on the clean image, and the rejected side's own prompt and image."""
    job = _job(laboratory, [])
    policy = tiny_policy(laboratory.model, dtype=torch.float32)

    def say(prompt: str, sha256: str, seed: int) -> str:
        request = Request("", prompt, ImageFile(sha256, laboratory.store.blob(sha256)), seed)
        ((answers, _),) = generate(policy, [request], job.recipe.prefer.generation, max_batch_tokens=1)
        return answers[0].text

    for pair in _pairs(laboratory, plain_run)[:6]:
        assert pair.chosen == say("Describe it well.", pair.image.sha256, fold(pair.seed, "chosen"))
        shown = pair.corrupted_image or pair.image.sha256
        assert pair.rejected == say(pair.rejected_prompt, shown, fold(pair.seed, "rejected"))


@pytest.mark.parametrize("max_batch_tokens", [64, 150, 10_000])
def test_texts_do_not_depend_on_the_batch(
    laboratory: Laboratory, images: list[ImageItem], plain_run: Recorder, tmp_path: Path, max_batch_tokens: int
) -> None:
    again = laboratory.run(_job(laboratory, images, {"prefer": {"max_batch_tokens": max_batch_tokens}}), tmp_path)
    assert again.artifact("pairs")["sha256"] == plain_run.artifact("pairs")["sha256"]


def test_texts_do_not_depend_on_order_or_company(
    laboratory: Laboratory, images: list[ImageItem], plain_run: Recorder, tmp_path: Path
) -> None:
    whole = _by_image(_pairs(laboratory, plain_run))
    for at, some in enumerate((images[::-1], images[3:7])):
        pairs = _by_image(_pairs(laboratory, laboratory.run(_job(laboratory, some), tmp_path / str(at))))
        assert pairs == {image.name: whole[image.name] for image in some}


@pytest.mark.parametrize("batches", [1, 3])
def test_a_restart_in_between_changes_nothing_and_says_nothing_twice(
    laboratory: Laboratory, images: list[ImageItem], plain_run: Recorder, tmp_path: Path, batches: int
) -> None:
    job = _job(laboratory, images)
    journal = tmp_path / "texts.jsonl"

    def enough(kind: str, body: object) -> bool:
        return journal.exists() and journal.read_bytes().count(b"\n") >= 3 * batches

    stopped = laboratory.run(job, tmp_path, enough)
    assert not stopped.bodies("artifact")
    said = journal.read_bytes()
    with open(journal, "ab") as file:
        file.write(b'{"key": "05.png#chosen", "te')  # as if killed while it wrote
    resumed = laboratory.run(job, tmp_path)
    assert resumed.artifact("pairs")["sha256"] == plain_run.artifact("pairs")["sha256"]
    assert journal.read_bytes().startswith(said) and journal.read_bytes().count(b"\n") == 2 * IMAGES


def test_equal_sides_are_dropped_and_counted(laboratory: Laboratory, images: list[ImageItem], tmp_path: Path) -> None:
    """Greedy, and one of the two plain prompts is the step-by-step one on a clean image: its sides must be equal."""
    overrides = {
        "prompts": {**PROMPTS, "plain": ["Describe it well.", "What is it?"]},
        "prefer": {"generation": {"temperature": 0}, "corrupted_probability": 1, "show_clean_image": True},
    }
    recorder = laboratory.run(_job(laboratory, images, overrides), tmp_path / "a")
    skipped, pairs = recorder.skipped(), _pairs(laboratory, recorder)
    assert set(skipped.values()) == {"EQUAL_SIDES"} and pairs
    assert {pair.prompt for pair in pairs} == {"What is it?"}
    assert sorted([*skipped, *(pair.id for pair in pairs)]) == [image.name for image in images]
    overrides["prompts"] = {**PROMPTS, "plain": ["Describe it well."]}
    with pytest.raises(StageError, match="not one pair"):
        laboratory.run(_job(laboratory, images, overrides), tmp_path / "b")


def test_the_official_code_shows_clean_images(laboratory: Laboratory, images: list[ImageItem], plain_run: Recorder, tmp_path: Path) -> None:
    recorder = laboratory.run(_job(laboratory, images, preset="official-code"), tmp_path)
    pairs, paper = _pairs(laboratory, recorder), {pair.id: pair for pair in _pairs(laboratory, plain_run)}
    assert [pair.made_by for pair in pairs] == [paper[pair.id].made_by for pair in pairs], "what was drawn is recorded all the same"
    assert all(pair.corrupted_image is None and not pair.corruption_parameters for pair in pairs)
    for pair in pairs:
        assert (pair.rejected == paper[pair.id].rejected) == (pair.made_by == "misleading_prompt")


def test_an_unusable_image_is_skipped_and_too_many_end_the_stage(laboratory: Laboratory, images: list[ImageItem], tmp_path: Path) -> None:
    broken = laboratory.store.put_blob_bytes(laboratory.store.blob(images[0].sha256).read_bytes()[:60])
    bad = type(images[0])(**{**vars(images[0]), "name": "bad.png", "sha256": broken})
    recorder = laboratory.run(_job(laboratory, [*images, bad], {"prefer": {"max_skipped_fraction": 0.1}}), tmp_path / "a")
    assert recorder.skipped() == {"bad.png": "TRUNCATED"}
    assert len(_pairs(laboratory, recorder)) == IMAGES
    with pytest.raises(StageError) as caught:
        laboratory.run(_job(laboratory, [*images, bad], {"prefer": {"max_skipped_fraction": 0.05}}), tmp_path / "b")
    assert caught.value.code == "TOO_MANY_SKIPPED"


def test_an_image_the_model_says_nothing_to_is_counted(laboratory: Laboratory, images: list[ImageItem], tmp_path: Path) -> None:
    """At this temperature and with these seeds the model ends one text at once."""
    hot = {"prefer": {"generation": {"temperature": 1}, "max_skipped_fraction": 0.1}}
    recorder = laboratory.run(_job(laboratory, images, hot), tmp_path)
    assert recorder.skipped() == {"00.png": "EMPTY_TEXT"}
    assert "for the preferred side" in recorder.bodies("skipped")[0]["reason"]
    assert len(_pairs(laboratory, recorder)) == IMAGES - 1


def test_the_record_names_prompt_set_corruptions_and_template(laboratory: Laboratory, plain_run: Recorder) -> None:
    facts, metadata = plain_run.facts(), plain_run.artifact("pairs")["metadata"]
    named = f"low_resolution {corruption_digest('low_resolution', {'shorter_side_px': 20})}"
    assert named in facts["corruptions"]
    assert (facts["prompt_set"], metadata["prompt_set"]) == ("test v1", "test v1")
    assert metadata["template_hash"] == tiny_policy(laboratory.model).chat.template_hash


def test_other_parameters_of_a_corruption_are_other_images(laboratory: Laboratory, images: list[ImageItem], tmp_path: Path) -> None:
    noisy = {"corruptions": [{"name": "noise", "weight": 1, "parameters": {"share": 0.8}}], "corrupted_probability": 1}
    recorder = laboratory.run(_job(laboratory, images[:3], {"prefer": noisy}), tmp_path)
    assert {(pair.made_by, dict(pair.corruption_parameters)["share"]) for pair in _pairs(laboratory, recorder)} == {("noise", 0.8)}
