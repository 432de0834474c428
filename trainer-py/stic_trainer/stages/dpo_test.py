"""Stage 1's training on a tiny random model: its numbers against the library's, every resume, every optimization."""

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from stic_trainer.config.job import Job, StageKind
from stic_trainer.data.records import ImageRef, Pair
from stic_trainer.errors import StageError
from stic_trainer.method.metrics import METRICS
from stic_trainer.modeling import blocks
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import join_rows
from stic_trainer.modeling.testing import add_random_adapter, tiny_policy
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages import dpo
from stic_trainer.stages.plan import Plan
from stic_trainer.stages.testing import Laboratory, Recorder, after_step, pair_of

TEXTS = [
    ("A red kite.", "A blue box, and more."),
    ("Snow on a hill.", "Sand."),
    ("Two dogs.", "No dogs at all."),
    ("It is late.", "It is early!"),
    ("A long bridge over the river.", "A road."),
    ("Trees.", "Bushes."),
    ("A boat", "A plane"),
]
STEPS = 4


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(tmp_path_factory.mktemp("laboratory"), "llava-next-llama")


@pytest.fixture(scope="module")
def pairs(laboratory: Laboratory) -> list[Pair]:
    sizes = [(40, 40), (70, 30)]
    images = [laboratory.put_image(f"{at}.png", sizes[at % 2], seed=at).ref for at in range(len(TEXTS))]
    return [pair_of(image, chosen, rejected) for image, (chosen, rejected) in zip(images, TEXTS, strict=True)]


def _job(laboratory: Laboratory, pairs: list[Pair], overrides: dict[str, Any] | None = None, **more: Any) -> Job:
    return laboratory.job(StageKind.DPO, {"pairs": laboratory.put_rows(pairs)}, overrides, **more)


@pytest.fixture(scope="module")
def unbroken(laboratory: Laboratory, pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return laboratory.run(_job(laboratory, pairs), tmp_path_factory.mktemp("unbroken"))


def _token_logits(policy: Policy, laboratory: Laboratory, pair: Pair, answer: str, *, with_image: bool = True) -> tuple[Tensor, Tensor]:
    """(tokens, vocabulary) logits and (tokens,) ids of the answer and its end, by the library's own processor and forward pass."""
    asked: list[dict[str, str]] = [{"type": "image"}] if with_image else []
    chat = [
        {"role": "user", "content": [*asked, {"type": "text", "text": pair.prompt}]},
        {"role": "assistant", "content": [{"type": "text", "text": answer}]},
    ]
    text = policy.processor.apply_chat_template(chat, tokenize=False)
    image = Image.open(laboratory.store.blob(pair.image.sha256))
    shown = {"images": [image]} if with_image else {}
    inputs = policy.processor(text=[text], add_special_tokens=False, return_tensors="pt", **shown)
    with torch.no_grad():
        logits = policy.base(**inputs).logits[0, :-1]
    ids = inputs["input_ids"][0, 1:]
    return logits[-len(answer) - 1 :], ids[-len(answer) - 1 :]


def _logp(policy: Policy, laboratory: Laboratory, pair: Pair, answer: str, *, with_image: bool = True) -> float:
    logits, ids = _token_logits(policy, laboratory, pair, answer, with_image=with_image)
    return float(logits.log_softmax(dim=-1).gather(1, ids[:, None]).sum())


def _first_batch(laboratory: Laboratory, pairs: list[Pair]) -> list[Pair]:
    job = _job(laboratory, pairs)
    return [pairs[at] for at in Plan(len(pairs), job.recipe.seed, job.recipe.dpo.optimizer).rows(0)]


def test_the_first_step_reports_the_papers_loss_of_the_base_model(laboratory: Laboratory, pairs: list[Pair], unbroken: Recorder) -> None:
    """The adapter is zero in step 1: policy = reference, the margin is 0, and what is left is log 2 - alpha * log pi(chosen)."""
    base = tiny_policy(laboratory.model, dtype=torch.float32)
    first = _first_batch(laboratory, pairs)
    chosen = sum(_logp(base, laboratory, pair, pair.chosen) for pair in first) / len(first)
    rejected = sum(_logp(base, laboratory, pair, pair.rejected) for pair in first) / len(first)
    assert unbroken.series("logps/chosen")[1] == pytest.approx(chosen, rel=1e-5)
    assert unbroken.series("logps/rejected")[1] == pytest.approx(rejected, rel=1e-5)
    assert unbroken.series("rewards/margins")[1] == 0
    assert unbroken.series("dpo/loss")[1] == pytest.approx(math.log(2) - 0.25 * chosen, rel=1e-5)


def test_the_metrics_are_those_of_the_catalogue(unbroken: Recorder) -> None:
    assert unbroken.metrics() == {metric.name for metric in METRICS if metric.stage == "dpo"}
    reward, rejected, margin = (unbroken.series(f"rewards/{name}")[STEPS] for name in ("chosen", "rejected", "margins"))
    assert margin == pytest.approx(reward - rejected, abs=1e-5)


def test_training_moves_the_texts_apart(unbroken: Recorder) -> None:
    assert list(unbroken.series("dpo/loss")) == list(range(1, STEPS + 1))
    assert unbroken.series("rewards/margins")[STEPS] > 0
    assert unbroken.facts()["trainable_in"] == "model.language_model (LoRA)"


def test_the_adapter_is_plain_peft(laboratory: Laboratory, unbroken: Recorder) -> None:
    base = tiny_policy(laboratory.model).base
    folder = laboratory.store.tree(unbroken.artifact("adapter")["sha256"])
    loaded = PeftModel.from_pretrained(base, folder)
    saved = load_file(folder / "adapter_model.safetensors")
    assert any(float(tensor.abs().max()) > 0 for name, tensor in saved.items() if "lora_B" in name)
    names = [name for name, _ in loaded.named_parameters() if ".lora_" in name]
    assert names and all(name.startswith("base_model.model.model.language_model.layers.") for name in names)


@pytest.mark.parametrize("step", range(1, STEPS))
def test_stopped_after_any_step_it_ends_as_if_unbroken(
    laboratory: Laboratory, pairs: list[Pair], unbroken: Recorder, tmp_path: Path, step: int
) -> None:
    job = _job(laboratory, pairs)
    stopped = laboratory.run(job, tmp_path, after_step(step, "dpo/loss"))
    assert not stopped.bodies("artifact")
    resumed = laboratory.run(job, tmp_path)
    assert resumed.bodies("state")[-1]["resumed_from_step"] == step
    assert list(resumed.series("dpo/loss")) == list(range(step + 1, STEPS + 1))
    assert resumed.artifact("adapter")["sha256"] == unbroken.artifact("adapter")["sha256"]


def test_reference_scores_are_the_base_models_after_a_resume_too(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    """Pairs that are first met after the resume are met by an adapter that has already moved: it must be off."""
    job = _job(laboratory, pairs, {"dpo": {"optimizer": {"checkpoint_every_steps": 1}}})
    laboratory.run(job, tmp_path, after_step(2, "dpo/loss"))
    laboratory.run(job, tmp_path)
    (newest,) = (tmp_path / "checkpoints").glob("step-*")
    references = load_file(newest / "state.safetensors")["extra/references"]
    base = tiny_policy(laboratory.model, dtype=torch.float32)
    expected = [[_logp(base, laboratory, pair, text) for text in (pair.chosen, pair.rejected)] for pair in pairs]
    torch.testing.assert_close(references, torch.tensor(expected, dtype=torch.float64), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "optimization", ["share_prefix", "reuse_image_features", "response_only_head", "reuse_reference_scores", "attend_by_blocks"]
)
def test_an_optimization_changes_no_number(
    laboratory: Laboratory, pairs: list[Pair], tmp_path: Path, optimization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LONG_ROW", 1)
    twice = {"dpo": {"optimizer": {"epochs": 2}}}
    on = laboratory.run(_job(laboratory, pairs, twice), tmp_path / "on")
    off = laboratory.run(_job(laboratory, pairs, twice | {"speed": {optimization: False}}), tmp_path / "off")
    assert optimization in on.facts()["optimizations"] and optimization not in off.facts()["optimizations"]
    for metric in ("dpo/loss", "rewards/margins", "logps/chosen", "dpo/grad_norm"):
        assert list(off.series(metric).values()) == pytest.approx(list(on.series(metric).values()), rel=1e-3, abs=1e-4), metric


def test_recomputed_activations_change_no_bit(laboratory: Laboratory, pairs: list[Pair], unbroken: Recorder, tmp_path: Path) -> None:
    small = laboratory.run(_job(laboratory, pairs, {"speed": {"gradient_checkpointing": True}}), tmp_path)
    assert small.artifact("adapter")["sha256"] == unbroken.artifact("adapter")["sha256"]


def test_micro_batches_change_no_number(laboratory: Laboratory, pairs: list[Pair], unbroken: Recorder, tmp_path: Path) -> None:
    single = laboratory.run(_job(laboratory, pairs, {"dpo": {"optimizer": {"max_micro_batch_tokens": 64}}}), tmp_path)
    for metric in ("dpo/loss", "rewards/margins", "dpo/grad_norm"):
        assert list(single.series(metric).values()) == pytest.approx(list(unbroken.series(metric).values()), rel=1e-3, abs=1e-4)


def test_unusable_pairs_are_left_out_whole_and_counted(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    image = pairs[0].image
    usable = len(pairs)
    odd = [
        pair_of(ImageRef(name="equal.png", sha256=image.sha256), "The same.", "The same."),
        pair_of(ImageRef(name="long.png", sha256=image.sha256), "x" * 500, "y"),
        pair_of(ImageRef(name="reach.png", sha256=image.sha256), "x" * 1100, "y"),
        pair_of(ImageRef(name="placeholder.png", sha256=image.sha256), "An <image> here.", "None."),
    ]
    some = {"max_length": 300, "max_skipped_fraction": 0.9}
    recorder = laboratory.run(_job(laboratory, [*odd, *pairs], {"dpo": some}), tmp_path / "a")
    assert recorder.skipped() == {
        "equal.png": "EQUAL_SIDES",
        "long.png": "TOO_LONG",
        "reach.png": "TOO_LONG",
        "placeholder.png": "ROW_INVALID",
    }
    assert len(recorder.series("dpo/loss")) == math.ceil(usable / 2)
    beyond = laboratory.run(_job(laboratory, [odd[2], *pairs], {"dpo": {"max_length": 4096, "max_skipped_fraction": 0.9}}), tmp_path / "b")
    assert [(body["code"], "the model takes 1024" in body["reason"]) for body in beyond.bodies("skipped")] == [("TOO_LONG", True)]


def test_too_many_unusable_pairs_end_the_stage(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    """Pairs left out by their length are a selection that somebody must allow; pairs with equal sides are not counted."""
    image = pairs[0].image
    long, equal = (dataclasses.replace(image, name=name) for name in ("long.png", "equal.png"))
    rows = [pair_of(long, "x" * 300, "y"), pair_of(equal, "Same.", "Same."), *pairs]
    allowed = {"max_length": 300, "max_skipped_fraction": 1 / len(rows)}
    assert len(laboratory.run(_job(laboratory, rows, {"dpo": allowed}), tmp_path / "a").skipped()) == 2
    with pytest.raises(StageError) as caught:
        laboratory.run(_job(laboratory, rows, {"dpo": allowed | {"max_skipped_fraction": 0.9 / len(rows)}}), tmp_path / "b")
    assert (caught.value.code, caught.value.subject) == ("TOO_MANY_SKIPPED", "dpo.max_skipped_fraction")
    assert "--set dpo.max_skipped_fraction=" in caught.value.hint


def test_with_no_pair_left_it_says_so(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        laboratory.run(_job(laboratory, [pair_of(pairs[0].image, "Same.", "Same.")]), tmp_path)
    assert caught.value.code == "DATA_INVALID"


def test_other_settings_or_pairs_take_up_no_checkpoint(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    laboratory.run(_job(laboratory, pairs), tmp_path, after_step(1, "dpo/loss"))
    for job, said in (
        (_job(laboratory, pairs, {"dpo": {"beta": 0.2}}), "dpo.beta was 0.1 and is 0.2"),
        (_job(laboratory, pairs[1:]), "pairs was"),
        (_job(laboratory, pairs, {"dpo": {"lora": {"rank": 8}}}), "dpo.lora.rank was 4 and is 8"),
    ):
        with pytest.raises(StageError, match=said) as caught:
            laboratory.run(job, tmp_path)
        assert caught.value.code == "CHECKPOINT_MISMATCH"


def test_the_official_codes_rejected_term(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    """The model's own strongest token at each rejected one, the second strongest where that is the rejected one itself."""
    job = _job(laboratory, pairs, {"dpo": {"omit_image": False}}, preset="official-code")
    recorder = laboratory.run(job, tmp_path)
    base = tiny_policy(laboratory.model, dtype=torch.float32)
    first = _first_batch(laboratory, pairs)
    total = 0.0
    for pair in first:
        logits, ids = _token_logits(base, laboratory, pair, pair.rejected)
        for row, label in zip(logits.log_softmax(dim=-1).tolist(), ids.tolist(), strict=True):
            total += max(value for token, value in enumerate(row) if token != label)
    assert recorder.series("logps/rejected")[1] == pytest.approx(total / len(first), rel=1e-5)
    chosen = sum(_logp(base, laboratory, pair, pair.chosen) for pair in first) / len(first)
    assert recorder.series("logps/chosen")[1] == pytest.approx(chosen, rel=1e-5)


def test_only_the_official_codes_field_leaves_the_image_out(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    recorder = laboratory.run(_job(laboratory, pairs, preset="official-code"), tmp_path)
    base = tiny_policy(laboratory.model, dtype=torch.float32)
    first = _first_batch(laboratory, pairs)
    blind = sum(_logp(base, laboratory, pair, pair.chosen, with_image=False) for pair in first) / len(first)
    assert recorder.series("logps/chosen")[1] == pytest.approx(blind, rel=1e-5)


@pytest.mark.parametrize("objective", ["DPO_OBJECTIVE_SWAPPED", "DPO_OBJECTIVE_CHOSEN_ONLY"])
def test_control_arms_minimise_what_they_say(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path, objective: str) -> None:
    first = pairs[:2]
    overrides = {"dpo": {"objective": objective, "optimizer": {"epochs": 4}}}
    recorder = laboratory.run(_job(laboratory, first, overrides), tmp_path)
    base = tiny_policy(laboratory.model, dtype=torch.float32)
    if objective == "DPO_OBJECTIVE_SWAPPED":
        expected = math.log(2) - 0.25 * sum(_logp(base, laboratory, pair, pair.rejected) for pair in first) / len(first)
        assert recorder.series("rewards/margins")[4] < 0
    else:
        expected = -sum(_logp(base, laboratory, pair, pair.chosen) / (len(pair.chosen) + 1) for pair in first) / len(first)
    assert recorder.series("dpo/loss")[1] == pytest.approx(expected, rel=1e-5)


def test_a_reference_that_is_kept_is_the_one_computed_again(laboratory: Laboratory, pairs: list[Pair], tmp_path: Path) -> None:
    """In fp64, with an adapter that has moved and other company in the batch: kept or computed again, to 1e-9."""
    policy = tiny_policy(laboratory.model)
    add_random_adapter(policy)
    ctx = StageContext(sink=Recorder(), store=laboratory.store, work=tmp_path)
    rows = dpo._read_rows(ctx, policy, pairs, _job(laboratory, pairs).recipe.dpo, check_images=True)
    scores_of = partial(dpo._scores, policy, response_only_head=True, replace=None)
    references = dpo._References(policy, scores_of, None, num_pairs=len(rows))
    keys = [row.key for row in rows]
    assert references.lacks(keys)
    with policy.adapters.using(None):
        for group in (rows[:3], rows[3:]):
            references.score(join_rows(group, device=policy.device), [row.key for row in group])
        kept = references.table.clone()
        assert not references.lacks(keys)
        assert torch.equal(references.of(keys).chosen, kept[:, 0])
        batch = join_rows(rows, device=policy.device)
        references.score(batch, keys)
    torch.testing.assert_close(references.table, kept, rtol=0, atol=1e-9)
    with torch.no_grad():
        assert not torch.allclose(scores_of(batch).chosen, kept[:, 0])
