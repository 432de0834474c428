"""Stage 2's training on a tiny random model: what is learned, with what weight, and every resume, dropout included."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from stic_trainer.config.job import Job, StageKind
from stic_trainer.data.records import ImageRef, InfusedRow, Turn
from stic_trainer.errors import StageError
from stic_trainer.method.metrics import METRICS
from stic_trainer.modeling import blocks
from stic_trainer.modeling.testing import tiny_policy
from stic_trainer.stages.testing import Laboratory, Recorder, after_step

STEPS = 3


def _row(name: str, image: ImageRef | None, *turns: str) -> InfusedRow:
    senders = ("human", "gpt")
    return InfusedRow(
        name=name, image=image, conversations=tuple(Turn(sender=senders[at % 2], value=text) for at, text in enumerate(turns))
    )


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(tmp_path_factory.mktemp("laboratory"), "llava-next-llama")


@pytest.fixture(scope="module")
def rows(laboratory: Laboratory) -> list[InfusedRow]:
    wide, tall = (laboratory.put_image(f"{name}.png", size, seed=len(name)).ref for name, size in (("wide", (70, 30)), ("tall", (30, 70))))
    return [
        _row("a", wide, "<image>\nImage description:\nA kite.\n\nWhat is it?", "A kite, red and small."),
        _row("b", None, "Is this text alone?", "Yes."),
        _row("c", tall, "<image>\nHow many?", "Three", "Sure?", "Quite sure, there are three of them."),
        _row("d", wide, "<image>\nWhere?", "Here."),
        _row("e", None, "Say more.", "More and more and more."),
    ]


@pytest.fixture(scope="module")
def adapter(laboratory: Laboratory) -> str:
    return laboratory.put_adapter()


def _job(laboratory: Laboratory, rows: list[InfusedRow], adapter: str, overrides: dict[str, Any] | None = None, **more: Any) -> Job:
    inputs = {"infused": laboratory.put_rows(rows), "adapter": adapter}
    return laboratory.job(StageKind.SFT, inputs, overrides, **more)


@pytest.fixture(scope="module")
def unbroken(laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return laboratory.run(_job(laboratory, rows, adapter), tmp_path_factory.mktemp("unbroken"))


def _expected_loss(laboratory: Laboratory, adapter: str, rows: list[InfusedRow]) -> float:
    """The mean over rows of the mean cross-entropy of the assistant's tokens, by the library's own processor and forward pass."""
    policy = tiny_policy(laboratory.model, dtype=torch.float32)
    policy.adapters.load(laboratory.store.tree(adapter))
    losses: list[float] = []
    for row in rows:
        chat, images = [], []
        for turn in row.conversations:
            content = [{"type": "text", "text": turn.value.removeprefix("<image>\n")}]
            if turn.value.startswith("<image>"):
                assert row.image is not None
                content.insert(0, {"type": "image"})
                images.append(Image.open(laboratory.store.blob(row.image.sha256)))
            chat.append({"role": "user" if turn.sender == "human" else "assistant", "content": content})
        text = policy.processor.apply_chat_template(chat, tokenize=False)
        shown = {"images": images} if images else {}
        inputs = policy.processor(text=[text], add_special_tokens=False, return_tensors="pt", **shown)
        with torch.no_grad():
            logps = policy.base(**inputs).logits[0, :-1].log_softmax(dim=-1)
        ids = inputs["input_ids"][0].tolist()
        learned: list[float] = []
        # An assistant's turn is "A: ", then its words, then the end token; here a character is a token.
        written = policy.processor.tokenizer.convert_ids_to_tokens(ids)
        inside = False
        for at in range(1, len(ids)):
            if inside:
                learned.append(float(logps[at - 1, ids[at]]))
                inside = written[at] != "</s>"
            elif written[at - 2 : at + 1] == ["A", ":", " "]:
                inside = True
        assert sum(len(turn.value) + 1 for turn in row.conversations if turn.sender == "gpt") == len(learned)
        losses.append(-sum(learned) / len(learned))
    return sum(losses) / len(losses)


def test_the_first_step_reports_the_mean_of_the_rows_means(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path: Path
) -> None:
    """All rows in one step: the loss of stage 1's adapter, taken up as it is. With dropout it is another one."""
    one_step = {"sft": {"optimizer": {"batch_size": len(rows)}}}
    still = _without_dropout(laboratory, adapter, tmp_path / "adapter")
    expected = _expected_loss(laboratory, adapter, rows)
    found = laboratory.run(_job(laboratory, rows, still, one_step), tmp_path / "still").series("sft/loss")[1]
    dropped = laboratory.run(_job(laboratory, rows, adapter, one_step), tmp_path / "dropped").series("sft/loss")[1]
    assert found == pytest.approx(expected, rel=1e-5)
    assert dropped != pytest.approx(expected, rel=1e-3)


def _without_dropout(laboratory: Laboratory, adapter: str, folder: Path) -> str:
    folder.mkdir()
    for file in laboratory.store.tree(adapter).iterdir():
        (folder / file.name).write_bytes(file.read_bytes().replace(b'"lora_dropout": 0.1', b'"lora_dropout": 0.0'))
    return laboratory.store.put_tree(folder)[0]


@pytest.mark.parametrize("optimization", ["pack_rows", "attend_by_blocks"])
def test_an_optimization_changes_no_number(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path: Path, optimization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout: its noise falls where tokens lie."""
    monkeypatch.setattr(blocks, "LONG_ROW", 1)
    still = _without_dropout(laboratory, adapter, tmp_path / "no-dropout")
    on = laboratory.run(_job(laboratory, rows, still), tmp_path / "on")
    off = laboratory.run(_job(laboratory, rows, still, {"speed": {optimization: False}}), tmp_path / "off")
    assert optimization in on.facts()["optimizations"] and optimization not in off.facts()["optimizations"]
    for metric in ("sft/loss", "sft/grad_norm"):
        assert list(off.series(metric).values()) == pytest.approx(list(on.series(metric).values()), rel=1e-3, abs=1e-4), metric


def test_the_metrics_are_those_of_the_catalogue(unbroken: Recorder) -> None:
    assert unbroken.metrics() == {metric.name for metric in METRICS if metric.stage == "sft"}


def test_the_adapter_of_stage_1_is_continued(laboratory: Laboratory, adapter: str, unbroken: Recorder) -> None:
    before = load_file(laboratory.store.tree(adapter) / "adapter_model.safetensors")
    after = load_file(laboratory.store.tree(unbroken.artifact("adapter")["sha256"]) / "adapter_model.safetensors")
    assert before.keys() == after.keys()
    # Three steps of AdamW at 0.01 move no weight by more than about 0.03.
    assert all(0 < float((after[name] - before[name]).abs().max()) < 0.05 for name in before)


@pytest.mark.parametrize("step", range(1, STEPS))
def test_stopped_after_any_step_it_ends_as_if_unbroken(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, unbroken: Recorder, tmp_path: Path, step: int
) -> None:
    job = _job(laboratory, rows, adapter)
    laboratory.run(job, tmp_path, after_step(step, "sft/loss"))
    resumed = laboratory.run(job, tmp_path)
    assert list(resumed.series("sft/loss")) == list(range(step + 1, STEPS + 1))
    assert resumed.artifact("adapter")["sha256"] == unbroken.artifact("adapter")["sha256"]


def test_the_seed_decides_order_and_dropout(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, unbroken: Recorder, tmp_path: Path
) -> None:
    other = laboratory.run(_job(laboratory, rows, adapter, {"seed": 43}), tmp_path / "other")
    again = laboratory.run(_job(laboratory, rows, adapter), tmp_path / "again")
    assert again.artifact("adapter")["sha256"] == unbroken.artifact("adapter")["sha256"]
    assert other.artifact("adapter")["sha256"] != unbroken.artifact("adapter")["sha256"]


def test_recomputed_activations_change_no_bit(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, unbroken: Recorder, tmp_path: Path
) -> None:
    small = laboratory.run(_job(laboratory, rows, adapter, {"speed": {"gradient_checkpointing": True}}), tmp_path)
    assert small.artifact("adapter")["sha256"] == unbroken.artifact("adapter")["sha256"]


def test_unusable_rows_are_left_out_whole_and_counted(laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path: Path) -> None:
    odd = [
        _row("long", None, "Q", "x" * 500),
        _row("two images", rows[0].image, "<image><image>\nQ", "A"),
        _row("no image", None, "<image>\nQ", "A"),
        _row("late image", rows[0].image, "Q", "A", "<image>\nQ", "A"),
        _row("no answer", None, "Q"),
    ]
    recorder = laboratory.run(_job(laboratory, [*odd, *rows], adapter, {"sft": {"max_length": 256, "max_skipped_fraction": 0.9}}), tmp_path)
    assert recorder.skipped() == {
        "long": "TOO_LONG",
        "two images": "ROW_INVALID",
        "no image": "ROW_INVALID",
        "late image": "ROW_INVALID",
        "no answer": "ROW_INVALID",
    }
    assert len(recorder.series("sft/loss")) == STEPS


def test_too_many_unusable_rows_end_the_stage(laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path: Path) -> None:
    """A limit below the image's tokens leaves out every row with an image: the stage fails instead of training on the rest."""
    short = {"sft": {"max_length": 20}}
    with pytest.raises(StageError) as caught:
        laboratory.run(_job(laboratory, [*rows, _row("text", None, "Q", "A")], adapter, short), tmp_path)
    assert (caught.value.code, caught.value.subject) == ("TOO_MANY_SKIPPED", "sft.max_skipped_fraction")


def test_a_checkpoint_of_another_adapter_is_not_taken_up(
    laboratory: Laboratory, rows: list[InfusedRow], adapter: str, tmp_path: Path
) -> None:
    laboratory.run(_job(laboratory, rows, adapter), tmp_path, after_step(1, "sft/loss"))
    with pytest.raises(StageError, match=f'adapter was "{adapter}"') as caught:
        laboratory.run(_job(laboratory, rows, laboratory.put_adapter(seed=2)), tmp_path)
    assert caught.value.code == "CHECKPOINT_MISMATCH"
