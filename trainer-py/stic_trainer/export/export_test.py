"""A merged folder loads in plain transformers and gives the adapter's logits; one that does not is never published."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoTokenizer

from stic_trainer.__main__ import _parser
from stic_trainer.errors import StageError
from stic_trainer.export.command import export_checkpoint
from stic_trainer.export.verify import TOLERANCE, verify_merged
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.template import read_chat_template
from stic_trainer.modeling.testing import add_random_adapter, paint
from stic_trainer.modeling.testing_families import family_policy
from stic_trainer.runtime.store import Store

_MODELS = ["llava-llama", "llava-next-mistral", "qwen2.5-vl", "qwen3-vl", "gemma3", "gemma3-tied"]
_OLD_NAMES = {"model.language_model.": "language_model.model.", "lm_head.": "language_model.lm_head."}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", _MODELS)
def test_plain_transformers_gives_the_adapter_s_logits(models: Path, tmp_path: Path, name: str) -> None:
    base, adapter = _made(models, name)
    (event,) = _export(base, adapter, tmp_path / "out")
    assert event["result"]["effect"] > 1e-2 > event["result"]["largest_difference"]
    load: Any = AutoModelForImageTextToText
    merged, report = load.from_pretrained(tmp_path / "out", dtype="auto", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    policy = load_policy(base, device="cpu", dtype=torch.float32)
    before = _logits(policy, policy.base, tmp_path)
    policy.adapters.load(adapter)
    wanted = _logits(policy, policy.base, tmp_path)
    own = load_policy(tmp_path / "out", device="cpu", dtype=torch.float32)
    largest = float((_logits(own, merged.eval(), tmp_path) - wanted).abs().max())
    assert largest <= TOLERANCE * max(1, float(wanted.abs().max())) < float((before - wanted).abs().max())


def test_processor_tokenizer_and_template_are_the_base_s(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-next-mistral")
    _export(base, adapter, tmp_path / "out")
    copied = {file.name for file in base.iterdir() if file.suffix in {".json", ".jinja"}}
    assert {"config.json", "generation_config.json", "tokenizer.json", "processor_config.json"} <= copied
    assert all((tmp_path / "out" / name).read_bytes() == (base / name).read_bytes() for name in copied)
    assert read_chat_template(tmp_path / "out") == read_chat_template(base)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == AutoTokenizer.from_pretrained(base).chat_template


def test_small_shards_have_an_index_and_hold_each_tensor_once(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama")
    _export(base, adapter, tmp_path / "out", "--max-shard-size", "0.00002")
    files = sorted((tmp_path / "out").glob("*.safetensors"))
    assert len(files) > 2 and files[0].name == f"model-00001-of-{len(files):05}.safetensors"
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text("utf-8"))
    stored = {name: file.name for file in files for name in load_file(file)}
    assert stored == index["weight_map"] and stored.keys() == load_file(base / "model.safetensors").keys()
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for file in files for tensor in load_file(file).values())
    again = tmp_path / "again"  # a base in shards is as good a base
    assert _export(tmp_path / "out", adapter, again)[-1]["result"]


def test_names_from_before_transformers_4_52_stay_as_they_are(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama")
    old = tmp_path / "old"
    old.mkdir()
    for file in base.iterdir():
        (old / file.name).write_bytes(file.read_bytes())
    tensors = {_old_name(name): tensor for name, tensor in load_file(base / "model.safetensors").items()}
    save_file(tensors, old / "model.safetensors", metadata={"format": "pt"})
    assert "language_model.model.layers.0.self_attn.q_proj.weight" in tensors
    _export(old, adapter, tmp_path / "out")
    load: Any = AutoModelForImageTextToText
    _, report = load.from_pretrained(tmp_path / "out", output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert load_file(tmp_path / "out" / "model.safetensors").keys() == tensors.keys()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_types_are_named_and_their_rounding_is_measured(models: Path, tmp_path: Path, dtype: str) -> None:
    base, adapter = _made(models, "llava-llama")
    (event,) = _export(base, adapter, tmp_path / "out", "--dtype", dtype)
    assert event["result"]["dtype"] == dtype and event["result"]["largest_difference"] > 0
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as content:
        assert {str(content.get_tensor(name).dtype) for name in content.keys()} == {f"torch.{dtype}"}  # noqa: SIM118
    load: Any = AutoModelForImageTextToText
    assert str(load.from_pretrained(tmp_path / "out", dtype="auto").dtype) == f"torch.{dtype}"
    assert f"| {dtype} |" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_an_adapter_that_half_precision_rounds_away_is_not_exported(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama", scale=1e-5)
    (event,) = _export(base, adapter, tmp_path / "out", "--dtype", "bfloat16", code=1)
    assert event["failure"]["code"] == "EXPORT_MISMATCH" and "float32" in event["failure"]["hint"]
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".export-*"))
    assert _export(base, adapter, tmp_path / "out")[-1]["result"]


def test_an_adapter_without_effect_is_not_exported(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama", scale=0)
    (event,) = _export(base, adapter, tmp_path / "out", code=1)
    assert event["failure"]["code"] == "ADAPTER_INEFFECTIVE" and not (tmp_path / "out").exists()


@pytest.mark.parametrize("scale", [0.0, 0.9, 1.001])
def test_a_folder_with_other_weights_is_refused(models: Path, tmp_path: Path, scale: float) -> None:
    base, adapter = _made(models, "llava-llama")
    _export(base, adapter, tmp_path / "out")
    weights = load_file(tmp_path / "out" / "model.safetensors")
    name = next(name for name in weights if name.endswith("layers.0.mlp.up_proj.weight"))
    weights[name] *= scale
    save_file(weights, tmp_path / "out" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StageError) as caught:
        verify_merged(base, adapter, tmp_path / "out", tmp_path, stored=torch.float32, all_weights=False)
    assert caught.value.code == "EXPORT_MISMATCH"


def test_what_is_more_than_lora_is_refused(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama")
    other = tmp_path / "dora"
    other.mkdir()
    config = json.loads((adapter / "adapter_config.json").read_text("utf-8")) | {"use_dora": True}
    (other / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    (other / "adapter_model.safetensors").write_bytes((adapter / "adapter_model.safetensors").read_bytes())
    (event,) = _export(base, other, tmp_path / "out", code=1)
    assert event["failure"]["code"] == "MODEL_UNSUPPORTED" and "use_dora=True" in event["failure"]["message"]


def test_the_card_says_what_it_was_made_from(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama")
    _export(base, adapter, tmp_path / "out", "--about", json.dumps({"Run": "a|b\nc", "Recipe digest": "abc"}))
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert 'base_model: "llava-llama"' in card and "| Run | a\\|b c |" in card and "| Recipe digest | abc |" in card
    assert str(models) not in card and str(models) not in (adapter / "adapter_config.json").read_text("utf-8")


def test_the_store_gets_the_same_tree_each_time(models: Path, tmp_path: Path) -> None:
    base, adapter = _made(models, "llava-llama")
    store = Store(tmp_path / "store")
    first, second = (_export(base, adapter, None, "--store", str(store.root))[-1]["result"] for _ in range(2))
    assert first == second and (store.tree(first["sha256"]) / "README.md").is_file()
    assert not list((store.root / "tmp").iterdir())


def _made(models: Path, name: str, *, scale: float = 1) -> tuple[Path, Path]:
    """A model's folder and an adapter's, whose weights are ``scale`` times random ones."""
    kind, _, tied = name.partition("-tied")
    base, adapter = models / kind, models / f"{name}-adapter-{scale}"
    policy = family_policy(base, kind + tied, dtype=torch.float32)
    if name != kind:
        base = models / name
        if not base.exists():
            _tie(models / kind, base)
        policy = load_policy(base, device="cpu", dtype=torch.float32)
    add_random_adapter(policy)
    with torch.no_grad():
        for key, parameter in policy.adapters.trainable().items():
            if "lora_B" in key:
                parameter.mul_(scale)
    policy.adapters.save(adapter)
    return base, adapter


def _tie(source: Path, folder: Path) -> None:
    """The same model with one matrix for embedding and head: its files hold the one alone."""
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((source / "config.json").read_text("utf-8")) | {"tie_word_embeddings": True}
    config["text_config"]["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    tensors = {name: tensor for name, tensor in load_file(source / "model.safetensors").items() if "lm_head" not in name}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _old_name(name: str) -> str:
    for now, before in _OLD_NAMES.items():
        if name.startswith(now):
            return before + name.removeprefix(now)
    return name.removeprefix("model.")


def _export(base: Path, adapter: Path, out: Path | None, *options: str, code: int = 0) -> list[dict[str, Any]]:
    """The command's events without progress."""
    target = [] if out is None else ["--out", str(out)]
    lines = io.StringIO()
    arguments = ["export", "--model", str(base), "--adapter", str(adapter), *target, *options]
    assert export_checkpoint(_parser().parse_args(arguments), lines) == code, lines.getvalue()
    return [event for event in map(json.loads, lines.getvalue().splitlines()) if "progress" not in event]


@torch.no_grad()
def _logits(policy: Policy, model: Any, folder: Path) -> Tensor:
    """Of the library's own forward pass, fed by the folder's own processor."""
    image = Image.open(paint(folder / "pictures", (60, 44), seed=3).path).convert("RGB")
    rows = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which?"}]}]
    text = policy.processor.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
    logits: Tensor = model(**policy.processor(images=[image], text=[text], add_special_tokens=False, return_tensors="pt")).logits
    return logits
