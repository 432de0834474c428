"""Algorithm 2's data: descriptions by the stage-1 model, and each of them in its row."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stic_trainer.config.job import Job, StageKind
from stic_trainer.data.records import Description, ImageItem, InfusedRow, InstructionRow, Turn, read_rows
from stic_trainer.method.sampling import fold
from stic_trainer.modeling.generation import Request, generate
from stic_trainer.modeling.testing import tiny_policy
from stic_trainer.modeling.vision import ImageFile
from stic_trainer.stages.testing import Laboratory, Recorder


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


def _row(name: str, image: ImageItem | None, *turns: tuple[str, str]) -> InstructionRow:
    return InstructionRow(name=name, image=image, conversations=tuple(Turn(sender=sender, value=text) for sender, text in turns))


@pytest.fixture(scope="module")
def rows(laboratory: Laboratory) -> list[InstructionRow]:
    images = [laboratory.put_image(f"{at}.png", seed=at) for at in range(3)]
    return [
        _row("first", images[0], ("human", "<image>\nWhat is it?"), ("gpt", "A kite."), ("human", "Sure?"), ("gpt", "Yes.")),
        _row("second", images[1], ("system", "Be brief."), ("human", "How many?\n<image>"), ("gpt", "Two.")),
        _row("same image", images[0], ("human", "<image>\nWhich {colour}?"), ("gpt", "Red.")),
        _row("text", None, ("human", "Say {description}."), ("gpt", "No.")),
    ]


@pytest.fixture(scope="module")
def described(laboratory: Laboratory, rows: list[InstructionRow], tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return laboratory.run(_describe(laboratory, rows), tmp_path_factory.mktemp("described"))


def _describe(laboratory: Laboratory, rows: list[InstructionRow], overrides: dict[str, Any] | None = None) -> Job:
    inputs = {"instructions": laboratory.put_rows(rows), "adapter": laboratory.put_adapter()}
    return laboratory.job(StageKind.DESCRIBE, inputs, overrides)


def _descriptions(laboratory: Laboratory, recorder: Recorder) -> dict[str, Description]:
    path = laboratory.store.blob(recorder.artifact("descriptions")["sha256"])
    return {row.name: row for row in read_rows(path, Description)}


def test_every_row_with_an_image_is_described_by_the_stage_1_model(
    laboratory: Laboratory, described: Recorder, rows: list[InstructionRow]
) -> None:
    found = _descriptions(laboratory, described)
    assert list(found) == ["first", "second", "same image"]
    policy = tiny_policy(laboratory.model, dtype=torch.float32)
    policy.adapters.load(laboratory.store.tree(laboratory.put_adapter()))
    settings = _describe(laboratory, rows).recipe.describe.generation
    for row in found.values():
        assert row.prompt in ("Describe.", "What is it?")
        image = ImageFile(row.image.sha256, laboratory.store.blob(row.image.sha256))
        request = Request("", row.prompt, image, fold(row.seed, "text"))
        ((answers, _),) = generate(policy, [request], settings, max_batch_tokens=1)
        with policy.adapters.using(None):
            ((by_base, _),) = generate(policy, [request], settings, max_batch_tokens=1)
        assert row.description == answers[0].text != by_base[0].text


def test_descriptions_do_not_depend_on_batch_or_company(
    laboratory: Laboratory, described: Recorder, rows: list[InstructionRow], tmp_path: Path
) -> None:
    whole = _descriptions(laboratory, described)
    overrides = {"describe": {"max_batch_tokens": 64}}
    some = _descriptions(laboratory, laboratory.run(_describe(laboratory, [rows[2], rows[1]], overrides), tmp_path))
    assert some == {name: whole[name] for name in ("same image", "second")}


def test_infusing_puts_each_description_between_image_and_first_question(
    laboratory: Laboratory, described: Recorder, rows: list[InstructionRow], tmp_path: Path
) -> None:
    found = _descriptions(laboratory, described)
    source = described.artifact("descriptions")
    inputs = {"instructions": laboratory.put_rows(rows), "descriptions": source["sha256"]}
    job = laboratory.job(StageKind.INFUSE, inputs, metadata=source["metadata"])
    recorder = laboratory.run(job, tmp_path)
    infused = {row.name: row for row in read_rows(laboratory.store.blob(recorder.artifact("infused")["sha256"]), InfusedRow)}

    def texts(name: str) -> list[str]:
        return [turn.value for turn in infused[name].conversations]

    def with_description(name: str, question: str) -> str:
        return f"<image>\nImage description:\n{found[name].description}\n\n{question}"

    assert texts("first") == [with_description("first", "What is it?"), "A kite.", "Sure?", "Yes."]
    assert texts("second") == ["Be brief.", with_description("second", "How many?"), "Two."]
    assert texts("same image") == [with_description("same image", "Which {colour}?"), "Red."]
    assert texts("text") == ["Say {description}.", "No."]
    assert recorder.artifact("infused")["metadata"]["template_hash"] == source["metadata"]["template_hash"]


def test_a_row_whose_image_was_not_described_is_left_out(
    laboratory: Laboratory, described: Recorder, rows: list[InstructionRow], tmp_path: Path
) -> None:
    some = [row for row in _descriptions(laboratory, described).values() if row.name != "first"]
    inputs = {"instructions": laboratory.put_rows(rows), "descriptions": laboratory.put_rows(some)}
    recorder = laboratory.run(laboratory.job(StageKind.INFUSE, inputs), tmp_path)
    infused = [row.name for row in read_rows(laboratory.store.blob(recorder.artifact("infused")["sha256"]), InfusedRow)]
    assert infused == ["second", "same image", "text"]


def test_describing_and_infusing_draw_the_same_rows(laboratory: Laboratory, rows: list[InstructionRow], tmp_path: Path) -> None:
    some = {"describe": {"max_rows": 2}}
    described = laboratory.run(_describe(laboratory, rows, some), tmp_path / "described")
    inputs = {"instructions": laboratory.put_rows(rows), "descriptions": described.artifact("descriptions")["sha256"]}
    recorder = laboratory.run(laboratory.job(StageKind.INFUSE, inputs, some), tmp_path / "infused")
    infused = list(read_rows(laboratory.store.blob(recorder.artifact("infused")["sha256"]), InfusedRow))
    assert len(infused) == 2
    assert [row.name for row in infused if row.image is not None] == list(_descriptions(laboratory, described))
