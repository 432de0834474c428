"""A PEFT adapter from elsewhere: judged by its configuration and the headers of its weights and the base model's, without torch.

What comes in is LoRA on linear layers of the language model, the same in every layer, and nothing else: that is what this trainer
makes itself, so a run can train it on, and an evaluation can load it. It is stored as the trainer stores its own: the weights' bytes
as they are, under today's names of the layers, and the configuration with the options that change what is computed.
"""

from __future__ import annotations

import json
import math
import struct
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stic_trainer.errors import StageError
from stic_trainer.modeling.adapter_names import LANGUAGE_MODEL, PEFT_PREFIX, layer_of, target_pattern
from stic_trainer.modeling.weight_files import TensorHeader, read_header, read_headers
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar.models import ModelFiles, Models

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_READ = frozenset({"peft_type", "r", "lora_alpha", "lora_dropout"})
# Of no effect on what the adapter computes: where it came from, and what led to the layers that its weights stand for.
_IGNORED = frozenset(
    {
        *("base_model_name_or_path", "revision", "task_type", "auto_mapping", "peft_version", "inference_mode", "runtime_config"),
        *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "eva_config", "megatron_core"),
        *("loftq_config", "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying"),
    }
)
# Starts that leave the base model as it is. Others (pissa, olora, corda, loftq, lora_ga) take a part out of its weights.
_PLAIN_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")
_METHODS = {"use_dora": "DoRA", "use_rslora": "rank-stabilised LoRA", "use_qalora": "QALoRA", "modules_to_save": "whole modules"}


@dataclass(frozen=True)
class Shape:
    rank: int
    alpha: float
    dropout: float
    target_modules: tuple[str, ...]


@dataclass(frozen=True)
class ImportedAdapter:
    sha256: str
    """Tree of the store."""
    bytes: int
    shape: Shape
    model: ModelFiles


def import_adapter(path: str, model_path: str, models: Models, store: Store) -> ImportedAdapter:
    """Copies the adapter of folder ``path`` into the store. StageError ADAPTER_INVALID names what does not fit; MODEL_... as in inspect."""
    model = models.inspect(model_path)
    folder = _folder(path)
    config = _config(folder)
    file = _weights_file(folder)
    try:
        weights = read_header(file)
    except (ValueError, OSError) as error:
        raise _invalid(f"{_WEIGHTS} cannot be read: {error}", file, "Fetch the file again.") from error
    layers = _layers(weights, file)
    base = _base_layers(resolve_model(model_path))
    rank, alpha, dropout = _settings(config, folder)
    _check_shapes(layers, base, rank, file)
    leaves = _leaves(layers, base, file)
    _check_values(weights, file)
    shape = Shape(rank, alpha, dropout, leaves)
    with tempfile.TemporaryDirectory(dir=store.root / "tmp") as draft:
        store.require_space(file.stat().st_size)
        _write_weights(Path(draft) / _WEIGHTS, layers, file)
        (Path(draft) / _CONFIG).write_text(json.dumps(_stored_config(shape, model_path), indent=2, sort_keys=True) + "\n", "utf-8")
        sha256, size = store.put_tree(Path(draft))
    return ImportedAdapter(sha256, size, shape, model)


def _folder(path: str) -> Path:
    folder = Path(path)
    if not folder.is_absolute():
        raise _invalid("the path is not absolute", folder, "Give the whole path, from the root on.")
    if not folder.is_dir():
        what = "this is a file, not a folder" if folder.exists() else "no such folder on the trainer's machine"
        raise _invalid(what, folder, f"Give the folder that holds {_CONFIG}.")
    return folder


def _config(folder: Path) -> dict[str, Any]:
    """The configuration, once it is plain LoRA: an option that is set and that nobody here reads might change what is computed."""
    file = folder / _CONFIG
    try:
        config = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise _invalid(f"it has no {_CONFIG}", folder, "Give a folder as PEFT's save_pretrained writes it.") from None
    except (ValueError, OSError) as error:
        raise _invalid(f"{_CONFIG} cannot be read: {error}", file) from error
    if not isinstance(config, dict):
        raise _invalid(f"{_CONFIG} is not a JSON object", file)
    if config.get("peft_type") != "LORA":
        raise _invalid(f"it is of PEFT type {config.get('peft_type')}; only LORA is supported", file)
    if (start := config.get("init_lora_weights", True)) not in _PLAIN_STARTS:
        hint = "Convert it with PEFT: save_pretrained(folder, path_initial_model_for_weight_conversion=...)."
        raise _invalid(f"it was initialised with {start}, which changes the base model's weights too", file, hint)
    for option, value in config.items():
        neutral = not value or (option == "bias" and value == "none")
        if option not in _READ | _IGNORED | {"init_lora_weights"} and not neutral:
            what = f" ({_METHODS[option]})" if option in _METHODS else ""
            raise _invalid(f"option {option}{what} is {json.dumps(value)}; only plain LoRA is supported", file)
    return config


def _settings(config: Mapping[str, Any], folder: Path) -> tuple[int, float, float]:
    rank, alpha, dropout = config.get("r"), config.get("lora_alpha"), config.get("lora_dropout", 0.0)
    for option, value, whole in (("r", rank, True), ("lora_alpha", alpha, False), ("lora_dropout", dropout, False)):
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value < 0 or (option != "lora_dropout" and value == 0):
            raise _invalid(f"option {option} is {value!r}, not a {'whole ' if whole else ''}number of a LoRA adapter", folder / _CONFIG)
    assert isinstance(rank, int) and isinstance(alpha, int | float) and isinstance(dropout, int | float)
    return rank, float(alpha), float(dropout)


def _weights_file(folder: Path) -> Path:
    file = folder / _WEIGHTS
    if file.is_file():
        return file
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        hint = "Load it with PEFT and save_pretrained(folder, safe_serialization=True)."
        raise _invalid(f"its weights are pickled (.bin), which can run code when read; {_WEIGHTS} is needed", folder, hint)
    raise _invalid(f"it has no {_WEIGHTS}", folder, "Give a folder as PEFT's save_pretrained writes it.")


def _layers(weights: Mapping[str, TensorHeader], file: Path) -> dict[str, dict[str, tuple[str, TensorHeader]]]:
    """By layer ("layers.0.self_attn.q_proj") the name and header of "lora_A" and "lora_B"."""
    layers: dict[str, dict[str, tuple[str, TensorHeader]]] = defaultdict(dict)
    strangers = []
    for name, tensor in weights.items():
        place = layer_of(name.removeprefix(PEFT_PREFIX)) or ""
        layer, _, half = place.removesuffix(".weight").rpartition(".")
        if place.endswith(".weight") and half in ("lora_A", "lora_B"):
            layers[layer][half] = (name, tensor)
        else:
            strangers.append(name)
    if strangers:
        hint = "Train the adapter on the language model's linear layers alone, without vision tower, projector, embeddings or head."
        raise _invalid(f"weights outside the linear layers of the language model: {_some(strangers)}", file, hint)
    if not layers:
        raise _invalid("it holds no weights", file)
    return layers


def _base_layers(folder: Path) -> dict[str, tuple[int, ...]]:
    """Shapes (out, in) of the linear layers of the base's language model."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, tensor in read_headers(folder).items():
        place = layer_of(name)
        if place and place.endswith(".weight") and len(tensor.shape) == 2:
            shapes[place.removesuffix(".weight")] = tensor.shape
    return shapes


def _check_shapes(
    layers: Mapping[str, Mapping[str, tuple[str, TensorHeader]]], base: Mapping[str, tuple[int, ...]], rank: int, file: Path
) -> None:
    hint = "It was made for another base model."
    for layer, halves in layers.items():
        if layer not in base:
            raise _invalid(f"the base model has no linear layer {layer}", file, hint)
        if len(halves) < 2:
            raise _invalid(f"layer {layer} has {next(iter(halves))} only", file, "Fetch the file again.")
        outputs, inputs = base[layer]
        for half, wanted in (("lora_A", (rank, inputs)), ("lora_B", (outputs, rank))):
            name, tensor = halves[half]
            if tensor.shape != wanted:
                found = "x".join(map(str, tensor.shape))
                raise _invalid(f"{name} is {found}; rank {rank} on this base model makes it {wanted[0]}x{wanted[1]}", file, hint)
            if tensor.dtype not in _NOT_FINITE:
                raise _invalid(f"{name} is stored as {tensor.dtype}; allowed: {', '.join(_NOT_FINITE)}", file)


def _leaves(layers: Mapping[str, object], base: Mapping[str, object], file: Path) -> tuple[str, ...]:
    """Names of the linear layers adapted, in every block of the language model."""
    leaves = tuple(sorted({layer.rpartition(".")[2] for layer in layers}))
    missing = [layer for layer in base if layer.rpartition(".")[2] in leaves and layer not in layers]
    if missing:
        hint = "Adapters of some layers only are not supported."
        raise _invalid(f"it adapts {', '.join(leaves)} but has no weights for {_some(missing)}", file, hint)
    return leaves


# By dtype: how numpy reads it, and the bits of the exponent, which are all set in infinity and NaN.
_NOT_FINITE: dict[str, tuple[np.dtype[Any], int]] = {
    "F32": (np.dtype("<u4"), 0x7F800000),
    "F16": (np.dtype("<u2"), 0x7C00),
    "BF16": (np.dtype("<u2"), 0x7F80),
}


def _check_values(weights: Mapping[str, TensorHeader], file: Path) -> None:
    data = np.memmap(file, mode="r")
    for name, tensor in weights.items():
        dtype, exponent = _NOT_FINITE[tensor.dtype]
        if tensor.end - tensor.begin != math.prod(tensor.shape) * dtype.itemsize:
            raise _invalid(f"{name} takes other bytes than its shape needs", file, "Fetch the file again.")
        bits = data[tensor.begin : tensor.end].view(dtype)
        if np.any((bits & exponent) == exponent):
            raise _invalid(f"{name} holds values that are not finite (NaN or infinity)", file)


def _write_weights(target: Path, layers: Mapping[str, Mapping[str, tuple[str, TensorHeader]]], source: Path) -> None:
    """The tensors by today's names, in their order: the same adapter is the same file."""
    tensors = sorted(
        (f"{PEFT_PREFIX}{LANGUAGE_MODEL}.{layer}.{half}.weight", tensor)
        for layer, halves in layers.items()
        for half, (_, tensor) in halves.items()
    )
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, tensor in tensors:
        size = tensor.end - tensor.begin
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(source, "rb") as reader, open(target, "xb") as writer:
        writer.write(struct.pack("<Q", len(text)) + text)
        for _, tensor in tensors:
            reader.seek(tensor.begin)
            writer.write(reader.read(tensor.end - tensor.begin))


def _stored_config(shape: Shape, model_path: str) -> dict[str, Any]:
    """What PEFT needs; its defaults are right for the rest."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(resolve_model(model_path)),
        "inference_mode": True,
        "bias": "none",
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "lora_dropout": shape.dropout,
        "target_modules": target_pattern(shape.target_modules),
    }


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(sorted(names)[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"


def _invalid(message: str, where: Path, hint: str = "") -> StageError:
    return StageError("ADAPTER_INVALID", message, str(where), hint)
