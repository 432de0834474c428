"""Adapters made with PEFT alone, as anyone makes them: what is imported computes the same, the rest is refused by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForImageTextToText

from stic_trainer.errors import StageError
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.testing import TinyLora, save_tiny_model
from stic_trainer.modeling.testing_families import family_policy
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar.adapters import ImportedAdapter, import_adapter
from stic_trainer.sidecar.models import Models

IDS = torch.tensor([[7, 9, 12, 30, 8]])
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
LANGUAGE = r".*language_model.*\.(q_proj|v_proj)"


def foreign(model: Path, folder: Path, **options: Any) -> Path:
    """A folder that PEFT's save_pretrained has written, with weights that change something."""
    torch.manual_seed(3)
    base = AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32)
    settings: dict[str, Any] = {"r": 4, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": LANGUAGE} | options
    adapted = get_peft_model(base, LoraConfig(**settings))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape) * 0.3)
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def original(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign(model, tmp_path_factory.mktemp("adapter"))


@pytest.fixture
def adapter(original: Path, tmp_path: Path) -> Path:
    """One to be changed."""
    return Path(shutil.copytree(original, tmp_path / "adapter"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def load(adapter: Path, model: Path, store: Store) -> ImportedAdapter:
    return import_adapter(str(adapter), str(model), Models(store.root / "models.json"), store)


def logits(model: Path, adapter: Path) -> Tensor:
    """By the libraries alone."""
    policy = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32), adapter).eval()
    with torch.no_grad():
        result: Tensor = policy(input_ids=IDS).logits
    return result


def imported_logits(model: Path, adapter: ImportedAdapter, store: Store) -> Tensor:
    """By the trainer, which takes it as the start of a run with the adapter's shape."""
    policy = load_policy(model, device="cpu", dtype=torch.float32)
    policy.adapters.load(store.tree(adapter.sha256), trainable=True)
    shape = adapter.shape
    policy.adapters.check_shape(TinyLora(shape.rank, shape.alpha, shape.dropout, shape.target_modules))
    policy.adapters.set_dropout(False)
    with torch.no_grad():
        result: Tensor = policy.base(input_ids=IDS).logits
    return result


def test_an_adapter_that_peft_wrote_computes_the_same_here(model: Path, original: Path, store: Store) -> None:
    adapter = load(original, model, store)
    shape = adapter.shape
    assert (shape.rank, shape.alpha, shape.dropout, shape.target_modules) == (4, 16.0, 0.05, ("q_proj", "v_proj"))
    assert adapter.model.digest == Models(store.root / "models.json").inspect(str(model)).digest
    assert sorted(path.name for path in store.tree(adapter.sha256).iterdir()) == [CONFIG, WEIGHTS]
    assert torch.equal(imported_logits(model, adapter, store), logits(model, original))
    assert torch.equal(logits(model, store.tree(adapter.sha256)), logits(model, original))
    assert load(original, model, store).sha256 == adapter.sha256, "the same adapter again is the same tree"


@pytest.mark.parametrize("name", ["llava-next-mistral", "qwen2.5-vl", "qwen3-vl", "gemma3"])
def test_the_adapters_of_every_family_are_understood(name: str, tmp_path: Path, store: Store) -> None:
    family_policy(tmp_path / "model", name, dtype=torch.float32)
    original = foreign((tmp_path / "model"), tmp_path / "adapter", target_modules=r".*language_model.*\.(o_proj|down_proj)")
    adapter = load(original, (tmp_path / "model"), store)
    assert adapter.shape.target_modules == ("down_proj", "o_proj")
    assert torch.equal(imported_logits((tmp_path / "model"), adapter, store), logits((tmp_path / "model"), original))


@pytest.mark.parametrize("prefix", ["language_model.model", "model"])
def test_layers_may_have_the_names_of_earlier_versions(model: Path, adapter: Path, original: Path, store: Store, prefix: str) -> None:
    weights = load_file(adapter / WEIGHTS)
    save_file({name.replace("model.language_model", prefix, 1): tensor for name, tensor in weights.items()}, adapter / WEIGHTS)
    assert f"base_model.model.{prefix}.layers.0.self_attn.q_proj.lora_A.weight" in load_file(adapter / WEIGHTS)
    assert load(adapter, model, store).sha256 == load(original, model, store).sha256


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_kept(model: Path, adapter: Path, store: Store, dtype: torch.dtype) -> None:
    weights = {name: tensor.to(dtype) for name, tensor in load_file(adapter / WEIGHTS).items()}
    save_file(weights, adapter / WEIGHTS)
    imported = load(adapter, model, store)
    assert {tensor.dtype for tensor in load_file(store.tree(imported.sha256) / WEIGHTS).values()} == {dtype}
    assert torch.equal(imported_logits(model, imported, store), logits(model, adapter))


def configure(**options: Any) -> Callable[[Path], None]:
    def change(adapter: Path) -> None:
        config = json.loads((adapter / CONFIG).read_text("utf-8"))
        (adapter / CONFIG).write_text(json.dumps(config | options), "utf-8")

    return change


def reweigh(change_weights: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Callable[[Path], None]:
    def change(adapter: Path) -> None:
        save_file(change_weights(load_file(adapter / WEIGHTS)), adapter / WEIGHTS)

    return change


def pickled(adapter: Path) -> None:
    torch.save(load_file(adapter / WEIGHTS), adapter / "adapter_model.bin")
    (adapter / WEIGHTS).unlink()


def cut_short(adapter: Path) -> None:
    data = (adapter / WEIGHTS).read_bytes()
    (adapter / WEIGHTS).write_bytes(data[:-10])


def with_infinity(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    next(iter(weights.values()))[0, 0] = torch.inf
    return weights


A = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight"
TOWER = "base_model.model.model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.lora_A.weight"

REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no configuration": (lambda adapter: (adapter / CONFIG).unlink(), "it has no adapter_config.json"),
    "no weights": (lambda adapter: (adapter / WEIGHTS).unlink(), "it has no adapter_model.safetensors"),
    "pickled weights": (pickled, "its weights are pickled (.bin), which can run code when read"),
    "cut short": (cut_short, "adapter_model.safetensors cannot be read: cut short"),
    "another PEFT type": (configure(peft_type="IA3"), "it is of PEFT type IA3; only LORA is supported"),
    "DoRA": (configure(use_dora=True), "option use_dora (DoRA) is true; only plain LoRA is supported"),
    "rsLoRA": (configure(use_rslora=True), "option use_rslora (rank-stabilised LoRA) is true"),
    "whole modules": (configure(modules_to_save=["lm_head"]), 'option modules_to_save (whole modules) is ["lm_head"]'),
    "biases": (configure(bias="lora_only"), 'option bias is "lora_only"'),
    "several ranks": (configure(rank_pattern={"q_proj": 8}), "option rank_pattern is"),
    "an option nobody knows": (configure(use_future=1), "option use_future is 1"),
    "a start that changes the base": (
        configure(init_lora_weights="pissa"),
        "it was initialised with pissa, which changes",
    ),
    "no rank": (configure(r=None), "option r is None"),
    "another rank": (configure(r=8), "is 4x32; rank 8 on this base model makes it 8x32"),
    "half a layer": (
        reweigh(lambda weights: {n: t for n, t in weights.items() if n != A}),
        "layers.0.self_attn.q_proj has lora_B only",
    ),
    "some layers only": (
        reweigh(lambda weights: {n: t for n, t in weights.items() if ".layers.1." not in n}),
        "it adapts q_proj, v_proj but has no weights for layers.1.self_attn.q_proj, layers.1.self_attn.v_proj",
    ),
    "vision tower": (
        reweigh(lambda weights: weights | {TOWER: torch.zeros(4, 32)}),
        f"weights outside the linear layers of the language model: {TOWER}",
    ),
    "head": (
        reweigh(lambda weights: weights | {"base_model.model.lm_head.lora_A.weight": torch.zeros(4, 32)}),
        "weights outside the linear layers of the language model: base_model.model.lm_head.lora_A.weight",
    ),
    "a layer too many": (
        reweigh(lambda weights: weights | {name.replace(".0.", ".7."): tensor.clone() for name, tensor in weights.items()}),
        "the base model has no linear layer layers.7.self_attn.q_proj",
    ),
    "whole numbers": (
        reweigh(lambda weights: {n: t.to(torch.int8) for n, t in weights.items()}),
        "is stored as I8; allowed: F32, F16",
    ),
    "infinity": (reweigh(with_infinity), "holds values that are not finite"),
    "no tensors": (reweigh(lambda weights: {}), "it holds no weights"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_cannot_be_a_start_is_refused_by_name(model: Path, adapter: Path, store: Store, case: str) -> None:
    change, message = REFUSED[case]
    change(adapter)
    with pytest.raises(StageError) as refused:
        load(adapter, model, store)
    assert refused.value.code == "ADAPTER_INVALID"
    assert message in refused.value.message
    assert str(adapter) in refused.value.subject
    assert list((store.root / "trees").iterdir()) == []
    assert list((store.root / "tmp").iterdir()) == []


def test_an_adapter_of_another_base_is_refused_by_shape(original: Path, store: Store) -> None:
    with pytest.raises(StageError) as refused:
        load(original, Path("embedded:world"), store)
    assert refused.value.message.endswith("lora_A.weight is 4x32; rank 4 on this base model makes it 4x128")
    assert refused.value.hint == "It was made for another base model."


@pytest.mark.parametrize(("adapter_at", "model_at", "code"), [("here", "none", "MODEL_INVALID"), ("none", "here", "ADAPTER_INVALID")])
def test_folders_that_are_not_there_are_told_apart(
    model: Path, original: Path, tmp_path: Path, store: Store, adapter_at: str, model_at: str, code: str
) -> None:
    none = tmp_path / "none"
    with pytest.raises(StageError, match="no such folder on the trainer's machine") as refused:
        load(original if adapter_at == "here" else none, model if model_at == "here" else none, store)
    assert (refused.value.code, refused.value.subject) == (code, str(none))
