"""A folder's processor with the Pillow image backend. Settings that its files lack come from config.json; contradictions are refused.

Only settings that decide the number of image tokens, or which token stands for an image, are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoImageProcessor, AutoTokenizer

from stic_trainer.errors import StageError
from stic_trainer.modeling.families import Family
from stic_trainer.modeling.library_errors import library_errors

_PROCESSOR, _IMAGES = "processor_config.json", "preprocessor_config.json"

_CLASS_TOKENS = {"clip_vision_model": 1, "siglip_vision_model": 0}
"""Tokens of a vision tower beside those of its patches; strategy "default" of config.json drops the first token."""

_Settings = Callable[[Any], dict[str, Any]]


def load_processor(folder: Path, family: Family, config: Any) -> Any:
    """The processor of the folder; ``config`` is its PreTrainedConfig. StageError MODEL_INVALID or MODEL_UNSUPPORTED."""
    files = _Files(folder)
    _check_class(files, family)
    with library_errors("the tokenizer cannot be loaded", f"{folder}/tokenizer.json"):
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with library_errors("the image processor cannot be loaded", str(folder / files.images_name)):
        images = _load_images(folder, family, config, files)
    with library_errors("the processor cannot be loaded", str(folder / _PROCESSOR)):
        kind = getattr(transformers, family.processor)
        settings, _ = kind.get_processor_dict(folder, local_files_only=True)
        settings = {name: value for name, value in settings.items() if value is not None}
        for name, value in _processor_settings(family, config).items():
            _check_equal(name, settings.setdefault(name, value), value, folder / _PROCESSOR)
        settings = _image_token(config, tokenizer) | settings
        halves = {"image_processor": images, "tokenizer": tokenizer}
        still: Any = type(kind.__name__, (_StillImages, kind), {})
        processor = still.from_args_and_dict([halves.get(name) for name in kind.get_attributes()], settings)
    processor.chat_template = processor.chat_template or tokenizer.chat_template
    return processor


class _StillImages:
    """Lets a processor do without its video half, which needs torchvision: no video is ever shown to a model here."""

    def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
        check: Any = super().check_argument_for_proper_class  # type: ignore[misc]
        return None if argument is None else check(name, argument)


class _Files:
    """The folder's processor settings as written; image settings stand in a file of their own or inside the processor's."""

    def __init__(self, folder: Path) -> None:
        self.processor = _read(folder / _PROCESSOR)
        inside = self.processor.get("image_processor")
        self.images_name = _PROCESSOR if isinstance(inside, dict) else _IMAGES
        self.images: dict[str, Any] = {**_read(folder / _IMAGES), **(inside if isinstance(inside, dict) else {})}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with library_errors(f"{path.name} is not JSON", str(path), "Fetch the file again."):
        fields = json.loads(path.read_text("utf-8"))
    if not isinstance(fields, dict):
        raise StageError("MODEL_INVALID", f"{path.name} is not a JSON object", str(path), "Fetch the file again.")
    return fields


def _check_class(files: _Files, family: Family) -> None:
    for name, settings in ((_PROCESSOR, files.processor), (_IMAGES, files.images)):
        found = settings.get("processor_class")
        if found is not None and found != family.processor:
            raise StageError(
                "MODEL_INVALID",
                f"processor_class is {found}; {family.architecture} takes {family.processor}",
                f"{name}: processor_class",
                "Fetch the processor's files from the page of the same model.",
            )


def _load_images(folder: Path, family: Family, config: Any, files: _Files) -> Any:
    # The image processors' backends differ numerically; Pillow's is always there, so it is the one.
    load: Any = AutoImageProcessor
    wanted = _IMAGE_SETTINGS.get(family.processor, _none)(config)
    missing = {name: value for name, value in {**_sizes(family, config), **wanted}.items() if files.images.get(name) is None}
    images = load.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False, **missing)
    for name, value in wanted.items():
        _check_equal(name, _plain(getattr(images, name, None)), value, folder / files.images_name)
    if getattr(images, "do_pan_and_scan", None):
        raise StageError(
            "MODEL_UNSUPPORTED",
            "the image processor cuts crops out of images (pan-and-scan), so how many tokens an image has is not known beforehand",
            "model.path",
            "set do_pan_and_scan to false in the folder's image processor settings",
        )
    if lacking := sorted(set(family.image_inputs) - set(images.model_input_names)):
        raise StageError(
            "MODEL_INVALID",
            f"the image processor {type(images).__name__} does not give {', '.join(lacking)}, which {family.architecture} needs",
            f"{files.images_name}: image_processor_type",
            "Fetch the image processor's settings from the page of the same model.",
        )
    return images


def _check_equal(name: str, found: Any, wanted: Any, file: Path) -> None:
    if found != wanted:
        raise StageError(
            "MODEL_INVALID",
            f"{name} is {json.dumps(found)}; by config.json it must be {json.dumps(wanted)}",
            f"{file}: {name}",
            f"Set it to {json.dumps(wanted)}, or fetch config.json and the processor's files from the same model.",
        )


def _processor_settings(family: Family, config: Any) -> dict[str, Any]:
    """What config.json decides of the processor's own settings."""
    if family.processor == "Gemma3Processor":
        return {"image_seq_length": config.mm_tokens_per_image}
    if family.processor == "InternVLProcessor":
        return {"image_seq_length": config.image_seq_length}
    if family.processor not in ("LlavaProcessor", "LlavaNextProcessor"):
        return {}
    vision = config.vision_config
    return {
        "patch_size": vision.patch_size,
        "vision_feature_select_strategy": config.vision_feature_select_strategy,
        "num_additional_image_tokens": _CLASS_TOKENS[vision.model_type],
    }


def _image_token(config: Any, tokenizer: Any) -> dict[str, Any]:
    """The token at config.json's image_token_index, where the tokenizer has a token of its own there."""
    token = tokenizer.added_tokens_decoder.get(getattr(config, "image_token_id", None))
    return {} if token is None else {"image_token": token.content}


def _none(config: Any) -> dict[str, Any]:
    return {}


def _tiles(config: Any) -> dict[str, Any]:
    return {"image_grid_pinpoints": _plain(config.image_grid_pinpoints)}


def _patches(config: Any) -> dict[str, Any]:
    vision = config.vision_config
    return {"patch_size": vision.patch_size, "merge_size": vision.spatial_merge_size, "temporal_patch_size": vision.temporal_patch_size}


_IMAGE_SETTINGS: dict[str, _Settings] = {"LlavaNextProcessor": _tiles, "Qwen2_5_VLProcessor": _patches, "Qwen3VLProcessor": _patches}
"""Settings of the image processor that config.json decides, by the processor's class."""


def _sizes(family: Family, config: Any) -> dict[str, Any]:
    """Side lengths (px) for an image processor whose files have none: the vision tower's."""
    if not family.vision_models:
        return {}
    side = config.vision_config.image_size
    square = {"height": side, "width": side}
    size = {"shortest_edge": side} if config.vision_config.model_type == "clip_vision_model" else square
    return {"size": size, "crop_size": square}


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
