"""A LoRA adapter merged into its base model's folder, tensor by tensor: the folder's own names, files and processor, other weights.

Nothing but one shard is held in memory. Names of tensors stay those of the base folder, so whatever loads the base loads the result.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from stic_trainer.errors import StageError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_STORED = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
_INDEX = "model.safetensors.index.json"
_ADAPTER_KEY = re.compile(r"base_model\.model\.model\.language_model\.(.+)\.lora_(A|B)\.weight")
# Where a folder keeps the language model: as saved before transformers 4.52, since then, and by models without a prefix of their own.
_LANGUAGE_MODEL = ("language_model.model.", "model.language_model.", "model.")
# What PEFT can do beyond W + scaling * B A, with the values that leave it out.
_PLAIN: dict[str, tuple[object, ...]] = {
    "peft_type": ("LORA",),
    "use_dora": (None, False),
    "bias": (None, "none"),
    "lora_bias": (None, False),
    "modules_to_save": (None, []),
    "rank_pattern": (None, {}),
    "alpha_pattern": (None, {}),
    "fan_in_fan_out": (None, False),
}
_COPIED = frozenset({".json", ".jinja", ".model", ".txt"})

Progress = Callable[[int, int], None]
"""Bytes written, and bytes in all."""


@dataclass(frozen=True)
class _Stored:
    """A tensor of the base folder and what becomes of it."""

    name: str
    file: Path
    dtype: torch.dtype | None
    """As it is written; None for one that holds no real numbers, which is copied as it is."""
    num_bytes: int


def merge_adapter(
    base: Path, adapter: Path, out: Path, *, dtype: torch.dtype | None, max_shard_bytes: int, on_progress: Progress
) -> torch.dtype:
    """Writes the merged model into the new folder ``out``; the type that the merged weights are stored in.

    Sums are in fp32. dtype: of all weights; None keeps each tensor's own. StageError MODEL_UNSUPPORTED for an adapter that is more than
    LoRA, MODEL_INVALID where adapter and folder do not belong together.
    """
    changes, scaling = _read_adapter(adapter)
    tensors = _stored_tensors(base, dtype)
    targets = _targets(set(changes), {tensor.name: tensor for tensor in tensors}, base)
    types = {tensor.dtype for tensor in tensors if tensor.name in targets}
    if len(types) != 1 or None in types:
        raise StageError("MODEL_UNSUPPORTED", "the weights to merge into are quantised, or of several types", str(base))
    out.mkdir(parents=True)
    _copy_settings(base, out, dtype)
    shards = _shards(tensors, max_shard_bytes)
    total, done = sum(tensor.num_bytes for tensor in tensors), 0
    weight_map: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors" if len(shards) > 1 else "model.safetensors"
        content: dict[str, Tensor] = {}
        for tensor in shard:
            content[tensor.name] = _written(tensor, changes[targets[tensor.name]] if tensor.name in targets else None, scaling)
            done += tensor.num_bytes
            on_progress(done, total)
        save_file(content, out / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(content, name)
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (out / _INDEX).write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", "utf-8")
    (stored,) = types
    assert stored is not None
    return stored


def _read_adapter(adapter: Path) -> tuple[dict[str, tuple[Tensor, Tensor]], float]:
    """(A, B) by the layer's name inside the language model, and alpha / rank."""
    config: dict[str, Any] = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    beyond = [f"{name}={config[name]!r}" for name, values in _PLAIN.items() if config.get(name) not in values]
    if beyond:
        raise StageError("MODEL_UNSUPPORTED", f"the adapter is more than plain LoRA: {', '.join(beyond)}", str(adapter))
    halves: dict[str, dict[str, Tensor]] = {}
    for key, tensor in load_file(adapter / "adapter_model.safetensors").items():
        found = _ADAPTER_KEY.fullmatch(key)
        if found is None:
            raise StageError("MODEL_INVALID", f"the adapter has a weight outside the language model: {key}", str(adapter))
        halves.setdefault(found[1], {})[found[2]] = tensor
    rank = config["r"]
    return {layer: (pair["A"], pair["B"]) for layer, pair in halves.items()}, config["lora_alpha"] / (
        math.sqrt(rank) if config.get("use_rslora") else rank
    )


def _stored_tensors(base: Path, dtype: torch.dtype | None) -> list[_Stored]:
    index = base / _INDEX
    if index.is_file():
        files = sorted({base / name for name in json.loads(index.read_text("utf-8"))["weight_map"].values()})
    else:
        files = sorted(base.glob("*.safetensors"))
    found: list[_Stored] = []
    for file in files:
        with safe_open(file, framework="pt") as content:
            for name in content.keys():  # noqa: SIM118 (no mapping)
                tensor = content.get_slice(name)
                stored = _STORED.get(tensor.get_dtype())
                written = stored and (dtype or stored)
                size = written.itemsize * math.prod(tensor.get_shape()) if written else content.get_tensor(name).nbytes
                found.append(_Stored(name, file, written, size))
    return found


def _targets(layers: set[str], tensors: Mapping[str, _Stored], base: Path) -> dict[str, str]:
    """The adapter's layer by the name of the stored weight."""
    targets: dict[str, str] = {}
    for layer in layers:
        names = [name for prefix in _LANGUAGE_MODEL if (name := f"{prefix}{layer}.weight") in tensors]
        if len(names) != 1:
            raise StageError("MODEL_INVALID", f"the model's files have {len(names)} weights for the adapter's layer {layer}", str(base))
        targets[names[0]] = layer
    return targets


def _written(tensor: _Stored, change: tuple[Tensor, Tensor] | None, scaling: float) -> Tensor:
    with safe_open(tensor.file, framework="pt") as content:
        weight: Tensor = content.get_tensor(tensor.name)
    if change is not None:
        exact = torch.promote_types(weight.dtype, torch.float32)
        first, second = (half.to(exact) for half in change)
        weight = weight.to(exact) + (second @ first) * scaling
    return (weight if tensor.dtype is None else weight.to(tensor.dtype)).contiguous()


def _shards(tensors: list[_Stored], max_bytes: int) -> list[list[_Stored]]:
    """In the order of the base's files; a tensor above the bound is a shard of its own."""
    shards: list[list[_Stored]] = []
    size = 0
    for tensor in tensors:
        if not shards or size + tensor.num_bytes > max_bytes:
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += tensor.num_bytes
    return shards


def _copy_settings(base: Path, out: Path, dtype: torch.dtype | None) -> None:
    """Configuration, tokenizer, processor and template, byte for byte; config.json names the weights' type."""
    for file in _settings(base):
        target = out / file.relative_to(base)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, target)
    if dtype is not None:
        config = json.loads((base / "config.json").read_text("utf-8"))
        text = json.dumps(_with_dtype(config, str(dtype).removeprefix("torch.")), indent=2) + "\n"
        (out / "config.json").write_text(text, "utf-8")


def _settings(base: Path) -> Iterator[Path]:
    for file in sorted([*base.iterdir(), *(base / "additional_chat_templates").glob("*")]):
        wanted = file.suffix in _COPIED or file.name.startswith(("LICENSE", "NOTICE"))
        if file.is_file() and wanted and not file.name.startswith(".") and not file.name.endswith(".index.json"):
            yield file


def _with_dtype(config: dict[str, Any], dtype: str) -> dict[str, Any]:
    named = {"dtype", "torch_dtype"} & config.keys()
    inner = {name: _with_dtype(value, dtype) for name, value in config.items() if name.endswith("_config") and isinstance(value, dict)}
    return {**config, **inner, **dict.fromkeys(named, dtype)}
