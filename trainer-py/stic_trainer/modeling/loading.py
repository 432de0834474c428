"""A Hugging Face folder as a policy: its processor with the Pillow image backend, its weights frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from stic_trainer.errors import StageError
from stic_trainer.modeling.attention import GROUPED_SDPA
from stic_trainer.modeling.families import Family, find_family
from stic_trainer.modeling.policy import Policy


def load_policy(folder: Path, *, device: str | None = None, dtype: torch.dtype | None = None) -> Policy:
    """The base model of a Hugging Face folder, frozen: fp32 on CPU, bf16 on CUDA. StageError MODEL_UNSUPPORTED or MODEL_INVALID."""
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise StageError("MODEL_INVALID", "the folder has no config.json", str(folder), "give a Hugging Face model folder")
    family = find_family(json.loads(config_file.read_text("utf-8")))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.bfloat16 if device.startswith("cuda") else torch.float32)
    try:
        processor = load_processor(folder, family)
        base: Any = AutoModelForImageTextToText.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation={"text_config": GROUPED_SDPA, "vision_config": "sdpa"},
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise StageError("MODEL_INVALID", f"the model cannot be loaded: {error}", str(folder)) from error
    base = base.to(device).eval().requires_grad_(False)
    return Policy(folder, base, processor, family)


class _StillImages:
    """Lets a processor do without its video half, which needs torchvision: no video is ever shown to a model here."""

    def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
        check: Any = super().check_argument_for_proper_class  # type: ignore[misc]
        return None if argument is None else check(name, argument)


def load_processor(folder: Path, family: Family) -> Any:
    """The folder's processor. OSError, ValueError or KeyError where its files do not make one."""
    kind = getattr(transformers, family.processor)
    # The image processors' backends differ numerically; Pillow's is always there, so it is the one.
    load_images: Any = AutoImageProcessor
    images, tokenizer = load_images.from_pretrained(folder, backend="pil", local_files_only=True), AutoTokenizer.from_pretrained(folder)
    if getattr(images, "do_pan_and_scan", None):
        raise StageError(
            "MODEL_UNSUPPORTED",
            "the image processor cuts crops out of images (pan-and-scan), so how many tokens an image has is not known beforehand",
            "model.path",
            "set do_pan_and_scan to false in the folder's image processor settings",
        )
    halves = {"image_processor": images, "tokenizer": tokenizer}
    settings, _ = kind.get_processor_dict(folder, local_files_only=True)
    still: Any = type(kind.__name__, (_StillImages, kind), {})
    processor = still.from_args_and_dict([halves.get(name) for name in kind.get_attributes()], settings)
    processor.chat_template = processor.chat_template or tokenizer.chat_template
    return processor
