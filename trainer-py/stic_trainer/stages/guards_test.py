"""What no run may do, each with its own error: the faults users of other trainers complain of, and those of the official code."""

from pathlib import Path

import pytest
import torch

from stic_trainer.config.job import StageKind
from stic_trainer.data.records import ImageRef
from stic_trainer.errors import StageError
from stic_trainer.modeling.adapter_names import LANGUAGE_MODEL
from stic_trainer.modeling.chat import Message, PlaceholderError
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import branch, join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import TINY_MODELS, TinyLora, paint, save_tiny_model, tiny_policy
from stic_trainer.stages.testing import Laboratory, pair_of
from stic_trainer.stages.training import too_long


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(tmp_path_factory.mktemp("laboratory"), "llava-next-llama")


@pytest.fixture(scope="module")
def policy(laboratory: Laboratory) -> Policy:
    return tiny_policy(laboratory.model)


def _image(laboratory: Laboratory) -> ImageRef:
    return laboratory.put_image("one.png").ref


def _with_template(laboratory: Laboratory, folder: Path, template: str) -> Path:
    """The laboratory's model with another chat template."""
    folder.mkdir()
    for file in laboratory.model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    return folder


# The image is in every row.


@pytest.mark.parametrize("name", sorted(TINY_MODELS))
def test_a_row_has_as_many_image_tokens_as_its_image_has_features(name: str, tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / "model", name)
    for at, size in enumerate(((40, 40), (70, 30), (30, 90), (200, 31))):
        image = paint(tmp_path / "pictures", size, seed=at)
        count = policy.vision.num_tokens(image)
        chat = [Message("user", "What is it?", image=True), Message("assistant", "It.")]
        row = plain_row(policy.chat.conversation(chat, count), image)
        assert row.ids.count(policy.chat.image_token_id) == count > 0
        # Scoring would refuse any other number of features.
        assert bool(score(policy, join_rows([row], device=policy.device)).isfinite())


def test_a_template_without_the_placeholder_is_refused(laboratory: Laboratory, tmp_path: Path) -> None:
    """As in the official code, where training never saw an image and nothing said so."""
    blind = "{% for m in messages %}{% for p in m['content'] %}{{ p['text'] }}{% endfor %}{{ eos_token }}{% endfor %}"
    model = _with_template(laboratory, tmp_path / "model", blind)
    pairs = laboratory.put_rows([pair_of(_image(laboratory), "A", "B")])
    overrides = {"model": {"path": str(model)}}
    with pytest.raises(StageError, match="0 image tokens where the image has") as caught:
        laboratory.run(laboratory.job(StageKind.DPO, {"pairs": pairs}, overrides), tmp_path / "a")
    assert (caught.value.code, caught.value.subject) == ("MODEL_INVALID", "chat_template")
    # Rows without an image are made by the preset official-code alone, with a template that has the placeholder.
    laboratory.run(laboratory.job(StageKind.DPO, {"pairs": pairs}, {"dpo": {"omit_image": True}}), tmp_path / "b")


def test_a_placeholder_in_the_text_is_no_image(policy: Policy) -> None:
    with pytest.raises(PlaceholderError):
        policy.chat.prompt([Message("user", "What is in <image>?", image=True)], 4)


# Image tokens are never cut.


def test_a_row_that_is_too_long_is_left_out_whole(policy: Policy, tmp_path: Path) -> None:
    image = paint(tmp_path, (40, 40))
    count = policy.vision.num_tokens(image)
    question = Message("user", "Q", image=True)
    sides = [policy.chat.conversation([question, Message("assistant", text)], count) for text in ("yes", "no")]
    row = branch(sides[0], sides[1], image)
    assert row.ids.count(policy.chat.image_token_id) == count
    # Lengths are those of one conversation, not of both sides together.
    length = max(len(side.ids) for side in sides)
    limits = {"image_tokens": count, "max_length": length, "max_text_tokens": length - count}
    assert too_long(row, policy, **limits) == ""
    assert too_long(row, policy, **limits | {"max_text_tokens": 0}) == ""
    shorter = f"{length} tokens, {count} of them of the image; max_length is {length - 1}"
    assert too_long(row, policy, **limits | {"max_length": length - 1}) == shorter
    fewer = f"{length - count} tokens of text; max_text_tokens is {length - count - 1}"
    assert too_long(row, policy, **limits | {"max_text_tokens": length - count - 1}) == fewer
    long = policy.chat.conversation([question, Message("assistant", "x" * 1024)], count)
    assert "the model takes 1024" in too_long(branch(long, sides[0], image), policy, **limits | {"max_length": 10_000})


# One chat template from generation to evaluation.


@pytest.mark.parametrize("stage", ["dpo", "describe", "sft"])
def test_another_template_than_the_inputs_is_refused(laboratory: Laboratory, tmp_path: Path, stage: str) -> None:
    rows = laboratory.put_rows([pair_of(_image(laboratory), "A", "B")])
    inputs = {"dpo": {"pairs": rows}, "describe": {"instructions": laboratory.put_rows([])}, "sft": {"infused": rows}}[stage]
    if stage != "dpo":
        inputs |= {"adapter": laboratory.put_adapter()}
    job = laboratory.job(StageKind(stage), inputs, metadata={"template_hash": "0" * 64})
    with pytest.raises(StageError) as caught:
        laboratory.run(job, tmp_path)
    assert caught.value.code == "TEMPLATE_MISMATCH"
    assert "chat template 000000000000, the model has" in caught.value.message


def test_another_template_than_the_frozen_recipes_is_refused(laboratory: Laboratory, tmp_path: Path) -> None:
    overrides = {"model": {"path": str(laboratory.model), "template_hash": "f" * 64}}
    with pytest.raises(StageError, match="the recipe was made with chat template ffff") as caught:
        laboratory.run(laboratory.job(StageKind.PREFER, {"images": laboratory.put_rows([])}, overrides), tmp_path)
    assert caught.value.code == "TEMPLATE_MISMATCH"


# What is trainable, and where.


@pytest.mark.parametrize("name", sorted(TINY_MODELS))
def test_only_the_language_models_adapter_is_trainable(name: str, tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path, name)
    assert not policy.adapters.trainable()
    policy.adapters.add(TinyLora(), seed=1)
    names = list(policy.adapters.trainable())
    layers = policy.base.config.text_config.num_hidden_layers
    assert len(names) == layers * len(TinyLora().target_modules) * 2
    assert all(each.startswith(f"{LANGUAGE_MODEL}.layers.") and ".lora_" in each for each in names)
    # The vision tower has q_proj, k_proj and v_proj too: a pattern by name alone would have reached it.
    assert any(each.endswith("q_proj") for each, _ in policy.base.model.vision_tower.named_modules())
    assert policy.adapters.attributes()["trainable_tensors"] == str(len(names))


def test_something_else_trainable_is_refused(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path)
    policy.adapters.add(TinyLora(), seed=1)
    next(policy.base.model.multi_modal_projector.parameters()).requires_grad_(True)
    with pytest.raises(StageError, match=r"outside the language model's adapter: model\.multi_modal_projector"):
        policy.adapters.attributes()


def test_an_adapter_on_no_module_is_refused(laboratory: Laboratory, tmp_path: Path) -> None:
    pairs = laboratory.put_rows([pair_of(_image(laboratory), "A", "B")])
    for modules in (["q_proj", "w_gate"], ["w_gate"]):
        job = laboratory.job(StageKind.DPO, {"pairs": pairs}, {"dpo": {"lora": {"target_modules": modules}}})
        with pytest.raises(StageError, match="w_gate") as caught:
            laboratory.run(job, tmp_path / modules[0])
        assert (caught.value.code, caught.value.subject) == ("CONFIG_INVALID", "dpo.lora.target_modules")


def test_an_adapter_of_another_model_is_refused(laboratory: Laboratory, policy: Policy, tmp_path: Path) -> None:
    adapter = laboratory.store.tree(laboratory.put_adapter())
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for file in adapter.iterdir():
        (wrong / file.name).write_bytes(file.read_bytes().replace(b"language_model", b"languages_model"))
    other = load_policy(save_tiny_model(tmp_path / "model"))
    with pytest.raises(StageError) as caught:
        other.adapters.load(wrong)
    assert caught.value.code == "MODEL_INVALID"
    with pytest.raises(StageError):
        other.adapters.load(wrong, name="second")


# Dropout is off where log-probabilities are compared.


def test_dropout_is_the_adapters_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path)
    policy.adapters.add(TinyLora(dropout=0.5), seed=1)
    for on in (True, False):
        policy.adapters.set_dropout(on)
        modes = {name: module.training for name, module in policy.base.named_modules()}
        assert {training for name, training in modes.items() if ".lora_dropout." in name} == {on}
        assert not any(training for name, training in modes.items() if ".lora_dropout." not in name)
