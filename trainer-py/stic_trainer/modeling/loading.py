"""A Hugging Face folder as a policy: its processor with the Pillow image backend, its weights frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig

from stic_trainer.errors import StageError
from stic_trainer.modeling.adapters import model_name
from stic_trainer.modeling.attention import GROUPED_SDPA
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.config_check import read_config
from stic_trainer.modeling.families import Family
from stic_trainer.modeling.library_errors import library_errors
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.processor import load_processor
from stic_trainer.modeling.weight_files import read_headers
from stic_trainer.modeling.weights import check_finite, check_loaded, outline

SAMPLE_SIZE = (640, 480)
"""Width and height (px) of the image that a model is tried with."""
SAMPLE_TURNS = (
    Message("user", "What is this?", image=True),
    Message("assistant", "A cat."),
    Message("user", "Why?"),
    Message("assistant", "It has whiskers."),
)


def load_policy(folder: Path, *, name: str = "", device: str | None = None, dtype: torch.dtype | None = None) -> Policy:
    """The base model of a Hugging Face folder, frozen: fp32 on CPU, bf16 on CUDA. StageError MODEL_UNSUPPORTED or MODEL_INVALID.

    name: what adapters call it; the folder's own by default.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.bfloat16 if device.startswith("cuda") else torch.float32)
    policy = _open(folder, device, {"pretrained_model_name_or_path": folder, "dtype": dtype, "use_safetensors": True}, name)
    check_finite(policy.base, folder)
    return policy


def outline_policy(folder: Path) -> Policy:
    """The policy without its weights: sizes and names from the headers of the files, nothing computed. Errors as load_policy's."""
    tensors = outline(read_headers(folder), folder)
    return _open(folder, "meta", {"pretrained_model_name_or_path": None, "state_dict": tensors, "device_map": {"": "meta"}})


@dataclass(frozen=True)
class OpenedFolder:
    """What a folder's small files give."""

    raw: dict[str, Any]
    """config.json as written."""
    config: Any
    """The library's configuration."""
    family: Family
    processor: Any


def open_folder(folder: Path) -> OpenedFolder:
    """Configuration and processor of a folder, without its weights. StageError MODEL_UNSUPPORTED or MODEL_INVALID."""
    raw, family = read_config(folder)
    with library_errors("config.json cannot be read", f"{folder}/config.json"):
        load_config: Any = AutoConfig
        config = load_config.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    wanted = getattr(transformers, family.architecture).config_class
    if not isinstance(config, wanted):
        raise StageError(
            "MODEL_INVALID",
            f"model_type {config.model_type} is not that of {family.architecture}, {wanted.model_type}",
            f"{folder}/config.json: model_type",
            "Fetch config.json again.",
        )
    return OpenedFolder(raw, config, family, load_processor(folder, family, config))


def _open(folder: Path, device: str, source: dict[str, Any], name: str = "") -> Policy:
    opened = open_folder(folder)
    kind = getattr(transformers, opened.family.architecture)
    with library_errors("the model cannot be loaded", str(folder)):
        base, info = kind.from_pretrained(
            **source,
            config=opened.config,
            attn_implementation={"text_config": GROUPED_SDPA, "vision_config": "sdpa"},
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are refused by name below
            output_loading_info=True,
        )
    check_loaded(info, folder)
    policy = Policy(folder, base.to(device).eval().requires_grad_(False), opened.processor, opened.family, name or model_name(str(folder)))
    _check_vocabulary(policy, opened.raw, folder)
    _check_template(policy, folder)
    return policy


def _check_vocabulary(policy: Policy, raw: dict[str, Any], folder: Path) -> None:
    """Every token has its row of the embedding, and config.json and processor mean the same token by an image's."""
    rows = policy.base.get_input_embeddings().weight.shape[0]
    tokens = max(policy.processor.tokenizer.get_vocab().values()) + 1
    if tokens > rows:
        raise StageError(
            "MODEL_INVALID",
            f"the tokenizer has {tokens} tokens, the model's embedding {rows} rows",
            f"{folder}/tokenizer.json",
            "Fetch the tokenizer's files from the page of the same model, or resize the embedding and save the model again.",
        )
    field = next((name for name in ("image_token_id", "image_token_index") if raw.get(name) is not None), None)
    if field is not None and raw[field] != policy.chat.image_token_id:
        raise StageError(
            "MODEL_INVALID",
            f"{field} is {raw[field]}; the processor's image token {policy.chat.image_token!r} is {policy.chat.image_token_id}",
            f"{folder}/config.json: {field}",
            f"Set {field} to the image token's id, or fetch config.json and the tokenizer from the same model.",
        )


def _check_template(policy: Policy, folder: Path) -> None:
    """Writes a conversation of two turns about an image, so that a template's fault shows before the first row."""
    with library_errors("the processor cannot say how many tokens an image has", str(folder)):
        tokens = policy.vision.num_tokens_of(*SAMPLE_SIZE)
    with library_errors(
        "the chat template fails on a conversation of two turns",
        f"{folder}: chat_template",
        "The template must take messages whose content is a list of parts of type image and text. Fetch it from the model's page.",
    ):
        policy.chat.prompt(SAMPLE_TURNS[:3], tokens)
        policy.chat.conversation(SAMPLE_TURNS, tokens)
