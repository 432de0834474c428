"""The policy: where its adapter is, that an adapter is saved and loaded whole, and what images cost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForImageTextToText

from stic_trainer.data.images import ImageProblem
from stic_trainer.errors import StageError
from stic_trainer.modeling import vision
from stic_trainer.modeling.adapters import model_name
from stic_trainer.modeling.inputs import ImageFeatures
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.testing import TinyLora, add_random_adapter, paint, save_tiny_model, tiny_policy
from stic_trainer.modeling.testing_families import ALL_MODELS, family_policy
from stic_trainer.modeling.vision import ImageFile

_WEIGHTS = "adapter_model.safetensors"
_IDS = torch.tensor([[1, 40, 41, 42, 50, 60]])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def adapter(models: Path) -> Path:
    """An adapter of "llava-llama", saved."""
    policy = _policy(models)
    add_random_adapter(policy)
    policy.adapters.save(models / "adapter")
    return models / "adapter"


@pytest.mark.parametrize("name", list(ALL_MODELS))
def test_a_saved_adapter_is_a_plain_peft_folder(models: Path, tmp_path: Path, name: str) -> None:
    policy = family_policy(models / name, name)
    add_random_adapter(policy)
    policy.adapters.save(tmp_path / "adapter")
    base = AutoModelForImageTextToText.from_pretrained(models / name, dtype=torch.float64)
    before = base(input_ids=_IDS).logits
    theirs = PeftModel.from_pretrained(base, tmp_path / "adapter").eval()(input_ids=_IDS).logits
    assert torch.equal(_logits(policy), theirs)
    assert (theirs - before).abs().max() > 1e-3


def test_a_loaded_adapter_gives_what_the_saved_one_gave(models: Path, adapter: Path, tmp_path: Path) -> None:
    saved, loaded = _policy(models), _policy(models)
    add_random_adapter(saved)
    loaded.adapters.load(adapter)
    assert torch.equal(_logits(saved), _logits(loaded))
    assert not loaded.adapters.trainable()
    loaded.adapters.save(tmp_path)
    assert (tmp_path / _WEIGHTS).read_bytes() == (adapter / _WEIGHTS).read_bytes()


def test_an_adapter_names_its_base_model_and_no_folder_of_this_machine(models: Path, adapter: Path, tmp_path: Path) -> None:
    config = (adapter / "adapter_config.json").read_text("utf-8")
    assert json.loads(config)["base_model_name_or_path"] == "llava-llama" and str(models) not in config
    policy = _policy(models)
    policy.adapters.load(adapter)
    policy.adapters.save(tmp_path, base_digest="abc")
    assert json.loads((tmp_path / "base_model.json").read_text("utf-8")) == {"name": "llava-llama", "digest": "abc"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/models/llava-v1.6-mistral-7b-hf", "llava-v1.6-mistral-7b-hf"),
        ("/data/cache/huggingface/hub/models--llava-hf--llava-1.5-7b-hf/snapshots/0123abc", "llava-hf/llava-1.5-7b-hf"),
        ("embedded:world", "embedded:world"),
    ],
)
def test_a_model_is_named_as_the_hub_or_the_folder_names_it(path: str, name: str) -> None:
    assert model_name(path) == name


def test_the_base_model_is_untouched_when_its_adapter_is_off(models: Path, adapter: Path) -> None:
    policy = _policy(models)
    before = _logits(policy)
    policy.adapters.load(adapter, name="stage1")
    policy.adapters.load(
        _changed(adapter, adapter.parent / "doubled", lambda tensors: {key: tensors[key] * 2 for key in tensors}), name="stage2"
    )
    second = _logits(policy)
    with policy.adapters.using(None):
        assert torch.equal(_logits(policy), before)
    with policy.adapters.using("stage1"):
        assert not torch.equal(_logits(policy), second)
    assert torch.equal(_logits(policy), second)


@pytest.mark.filterwarnings("ignore:Found missing adapter keys")
@pytest.mark.parametrize("second", [False, True], ids=["first adapter", "second adapter"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tensors: dict(list(tensors.items())[1:]), "lacks weights"),
        (
            lambda tensors: tensors | {"base_model.model.model.language_model.layers.9.mlp.up_proj.lora_A.weight": torch.zeros(4, 32)},
            "unknown",
        ),
        (lambda tensors: {key.replace("language_model", "text_model"): tensors[key] for key in tensors}, "lacks weights"),
        (lambda tensors: {key: tensors[key][:-1] for key in tensors}, "does not fit"),
    ],
    ids=["missing", "unexpected", "renamed", "other shape"],
)
def test_an_adapter_that_does_not_fit_to_the_last_weight_is_refused(
    models: Path, adapter: Path, tmp_path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], reason: str, second: bool
) -> None:
    policy = _policy(models)
    if second:
        policy.adapters.load(adapter, name="stage1")
    with pytest.raises(StageError, match=reason) as caught:
        policy.adapters.load(_changed(adapter, tmp_path / "changed", change), name="stage2")
    assert caught.value.code == "MODEL_INVALID"


@pytest.mark.parametrize("missing", ["adapter_config.json", _WEIGHTS])
def test_a_folder_without_an_adapter_is_refused(models: Path, adapter: Path, tmp_path: Path, missing: str) -> None:
    shutil.copytree(adapter, tmp_path / "adapter")
    (tmp_path / "adapter" / missing).unlink()
    with pytest.raises(StageError, match=missing):
        _policy(models).adapters.load(tmp_path / "adapter")


def test_an_adapter_that_matches_no_module_is_an_error(models: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no linear layers named c_attn") as caught:
        _policy(models).adapters.add(TinyLora(target_modules=("q_proj", "c_attn")), seed=1)
    assert (caught.value.code, caught.value.subject) == ("CONFIG_INVALID", "dpo.lora.target_modules")
    shutil.copytree(adapter, tmp_path / "adapter")
    config = json.loads((adapter / "adapter_config.json").read_text())
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["c_attn"]}))
    with pytest.raises(StageError, match="does not fit"):
        _policy(models).adapters.load(tmp_path / "adapter")


def test_only_the_language_model_is_trainable(models: Path) -> None:
    policy = _policy(models)
    add_random_adapter(policy)
    names = list(policy.adapters.trainable())
    assert len(names) == 2 * 2 * 7  # two halves on seven linear layers of two blocks
    assert all(name.startswith("model.language_model.layers.") and ".lora_" in name for name in names)
    assert policy.adapters.attributes()["trainable_parameters"] == str(
        sum(parameter.numel() for parameter in policy.adapters.trainable().values())
    )
    policy.base.model.multi_modal_projector.requires_grad_(True)
    with pytest.raises(StageError, match="outside the language model"):
        policy.adapters.attributes()


@pytest.mark.filterwarnings("ignore:Found missing adapter keys")
def test_an_adapter_on_the_vision_tower_is_refused(models: Path, adapter: Path, tmp_path: Path) -> None:
    shutil.copytree(adapter, tmp_path / "adapter")
    config = json.loads((adapter / "adapter_config.json").read_text())
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config | {"target_modules": ["q_proj"]}))
    with pytest.raises(StageError, match="outside the language model") as caught:
        _policy(models).adapters.load(tmp_path / "adapter")
    assert caught.value.code == "MODEL_INVALID"


def test_features_are_kept_within_a_bound(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = _policy(models)
    images = [paint(tmp_path, seed=seed) for seed in range(4)]
    encoded: list[Image.Image] = []
    encode = policy.vision._encode

    def count(image: Image.Image) -> ImageFeatures:
        encoded.append(image)
        return encode(image)

    monkeypatch.setattr(policy.vision, "_encode", count)
    bytes_each = policy.vision.encode(images[0]).nbytes
    monkeypatch.setattr(vision, "_CACHE_BYTES", 2 * bytes_each)
    for index in (0, 1, 0, 2, 0):  # the third picture pushes out the second, which was used longest ago
        policy.vision.encode(images[index])
    assert len(encoded) == 3
    policy.vision.encode(images[1])
    assert len(encoded) == 4
    assert len(policy.vision._features) == 2


def test_a_turned_photograph_is_counted_upright(models: Path, tmp_path: Path) -> None:
    policy = tiny_policy(models / "llava-next-llama", "llava-next-llama")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (90, 30), "red").save(tmp_path / "turned.jpg", exif=exif)
    image = ImageFile("turned", tmp_path / "turned.jpg")
    assert policy.vision.num_tokens(image) == len(policy.vision.encode(image)) == policy.vision.num_tokens(paint(tmp_path, (30, 90)))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_an_unusable_image_is_a_problem_with_a_reason(models: Path, tmp_path: Path, content: bytes) -> None:
    policy = tiny_policy(models / "llava-next-llama", "llava-next-llama")
    (tmp_path / "image.png").write_bytes(content)
    with pytest.raises(ImageProblem):
        policy.vision.num_tokens(ImageFile("unusable", tmp_path / "image.png"))
    with pytest.raises(ImageProblem):
        policy.vision.encode(ImageFile("unusable", tmp_path / "image.png"))


def test_an_unsupported_architecture_is_refused_by_name(models: Path, tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["PaliGemmaForConditionalGeneration"]}))
    with pytest.raises(StageError, match="PaliGemmaForConditionalGeneration is not supported") as caught:
        load_policy(folder)
    assert caught.value.code == "MODEL_UNSUPPORTED"
    (folder / "config.json").write_text(json.dumps(config | {"text_config": {"model_type": "mamba"}}))
    with pytest.raises(StageError, match="mamba"):
        load_policy(folder)


def test_an_image_processor_that_cuts_crops_is_refused(models: Path, tmp_path: Path) -> None:
    family_policy(models / "gemma3", "gemma3")
    shutil.copytree(models / "gemma3", tmp_path / "model")
    (settings,) = [path for path in (tmp_path / "model").glob("*processor_config.json") if "image_mean" in path.read_text()]
    fields = json.loads(settings.read_text())
    fields.get("image_processor", fields)["do_pan_and_scan"] = True
    settings.write_text(json.dumps(fields))
    with pytest.raises(StageError, match="pan-and-scan") as caught:
        load_policy(tmp_path / "model")
    assert caught.value.code == "MODEL_UNSUPPORTED"


def _policy(models: Path) -> Policy:
    return tiny_policy(models / "llava-llama")


def _changed(adapter: Path, folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Path:
    shutil.copytree(adapter, folder, dirs_exist_ok=True)
    changed = {key: tensor.contiguous() for key, tensor in change(load_file(adapter / _WEIGHTS)).items()}
    save_file(changed, folder / _WEIGHTS, metadata={"format": "pt"})
    return folder


@torch.no_grad()
def _logits(policy: Policy) -> Tensor:
    logits: Tensor = policy.base(input_ids=_IDS).logits
    return logits
