"""What config.json alone tells of a model folder: its family, or why it is refused and what to use in its place. Without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.modeling.families import Family, families, find_family


@dataclass(frozen=True, kw_only=True)
class _Original:
    """A model as its authors published it, for their own code, and the same weights in the layout of transformers."""

    architecture: str
    hidden_size: int | None = None
    tiles: bool | None = None
    """Whether the configuration cuts images into tiles (LLaVA-v1.6). None: either."""
    use: str


_ORIGINALS = (
    _Original(architecture="LlavaMistralForCausalLM", use="llava-hf/llava-v1.6-mistral-7b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", hidden_size=4096, tiles=True, use="llava-hf/llava-v1.6-vicuna-7b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", hidden_size=5120, tiles=True, use="llava-hf/llava-v1.6-vicuna-13b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", hidden_size=7168, tiles=True, use="llava-hf/llava-v1.6-34b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", hidden_size=4096, tiles=False, use="llava-hf/llava-1.5-7b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", hidden_size=5120, tiles=False, use="llava-hf/llava-1.5-13b-hf"),
    _Original(architecture="LlavaLlamaForCausalLM", use="a folder of huggingface.co/llava-hf"),
    _Original(architecture="LlavaQwenForCausalLM", use="a folder of huggingface.co/llava-hf, such as llava-hf/llava-interleave-qwen-7b-hf"),
)


def read_config(folder: Path) -> tuple[dict[str, Any], Family]:
    """config.json and the family of the model. StageError MODEL_INVALID or MODEL_UNSUPPORTED."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        hint = "Give the folder that holds config.json, as save_pretrained writes it."
        raise StageError("MODEL_INVALID", "it has no config.json", str(folder), hint) from None
    except (ValueError, OSError) as error:
        raise StageError("MODEL_INVALID", f"config.json cannot be read: {error}", str(path), "Fetch the file again.") from error
    if not isinstance(config, dict):
        raise StageError("MODEL_INVALID", "config.json is not a JSON object", str(path), "Fetch the file again.")
    return config, check_config(config, path)


def check_config(config: Mapping[str, Any], path: Path) -> Family:
    """The family of ``config``, the content of the file ``path``. StageError names the field at fault."""
    architecture = _architecture(config, path)
    for part in ("text_config", "vision_config"):
        if not isinstance(config.get(part) or {}, dict):
            raise _refused("MODEL_INVALID", f"{part} is not a JSON object", path, part, "Fetch config.json again.")
    _refuse_quantized(config, path)
    for original in _ORIGINALS:
        if _is_original(config, architecture, original):
            hint = f"Use {original.use}: the same weights in the layout that transformers reads."
            message = f"the architecture {architecture} is for the code of its authors and not in transformers"
            raise _refused("MODEL_UNSUPPORTED", message, path, "architectures", hint)
    if config.get("auto_map") and architecture not in {family.architecture for family in families()}:
        message = f"the architecture {architecture} needs Python code from its folder (auto_map), which is never run"
        raise _refused("MODEL_UNSUPPORTED", message, path, "auto_map", f"Supported are {_supported()}.")
    family = find_family(config)
    tower = (config.get("vision_config") or {}).get("model_type")
    if family.vision_models and tower is not None and tower not in family.vision_models:
        raise _refused(
            "MODEL_UNSUPPORTED",
            f"{architecture} with a vision tower of type {tower} is not supported",
            path,
            "vision_config.model_type",
            f"Supported vision towers are {', '.join(family.vision_models)}.",
        )
    return family


def _architecture(config: Mapping[str, Any], path: Path) -> str:
    names = config.get("architectures")
    if isinstance(names, list) and len(names) == 1 and isinstance(names[0], str):
        return names[0]
    hint = f'Set it to a list of one name, as in "architectures": ["LlavaForConditionalGeneration"]. Supported are {_supported()}.'
    found = "it is missing or empty" if not names else f"it is {json.dumps(names)[:80]}"
    raise _refused("MODEL_INVALID", f"architectures must be a list of one name; {found}", path, "architectures", hint)


def _refuse_quantized(config: Mapping[str, Any], path: Path) -> None:
    for where, part in (("", config), ("text_config.", config.get("text_config") or {})):
        for field in ("quantization_config", "compression_config"):
            if settings := part.get(field):
                raise quantized(_method(settings), f"{path}: {where}{field}")


def quantized(method: str, subject: str) -> StageError:
    return StageError(
        "MODEL_UNSUPPORTED",
        f"the weights are quantised ({method}); training on quantised weights (QLoRA) is not supported",
        subject,
        "Use the folder of the same model with bf16, fp16 or fp32 weights.",
    )


def _method(settings: Any) -> str:
    if not isinstance(settings, dict):
        return "method not named"
    for bits in (4, 8):
        if settings.get(f"load_in_{bits}bit"):
            return f"bitsandbytes, {bits} bit"
    return str(settings.get("quant_method") or "method not named")


def _is_original(config: Mapping[str, Any], architecture: str, original: _Original) -> bool:
    tiles = bool(config.get("image_grid_pinpoints")) and "unpad" in str(config.get("mm_patch_merge_type", ""))
    return (
        architecture == original.architecture
        and original.hidden_size in (None, config.get("hidden_size"))
        and original.tiles in (None, tiles)
    )


def _supported() -> str:
    return ", ".join(sorted(family.architecture for family in families()))


def _refused(code: str, message: str, path: Path, field: str, hint: str) -> StageError:
    return StageError(code, message, f"{path}: {field}", hint)
