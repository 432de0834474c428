"""For tests: tiny random models of the families that write images into the text in ways of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    SiglipVisionConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.testing import CHAT_TEMPLATE, SPECIAL_TOKENS, TINY_MODELS, save_model, text_sizes, tiny_policy, tiny_tokenizer

_QWEN_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_GEMMA_TOKENS = ("<start_of_image>", "<end_of_image>", "<image_soft_token>")
_GEMMA_SLIDING_WINDOW = 24
_PATCH = 14  # px


class _Parts:
    """An image processor and a tokenizer saved side by side, as the model's makers did: their processor needs torchvision."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def save_pretrained(self, folder: Path) -> None:
        for part in self._parts:
            part.save_pretrained(folder)


def family_policy(folder: Path, name: str, *, dtype: torch.dtype = torch.float64) -> Policy:
    """The tiny model ``name`` of ALL_MODELS in ``folder``, made there when it does not exist."""
    if name in TINY_MODELS:
        return tiny_policy(folder, name, dtype=dtype)
    if not (folder / "config.json").exists():
        save_family_model(folder, name)
    return load_policy(folder, device="cpu", dtype=dtype)


def save_family_model(folder: Path, name: str) -> Path:
    """Writes the model ``name`` of ALL_MODELS that is none of TINY_MODELS."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return save_model(folder, *_FAMILY_MODELS[name]())


def _qwen_tokenizer() -> tuple[PreTrainedTokenizerFast, dict[str, Any]]:
    template = CHAT_TEMPLATE.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")
    tokenizer = tiny_tokenizer((*SPECIAL_TOKENS, *_QWEN_TOKENS), template)
    names = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return tokenizer, dict(zip(names, map(tokenizer.convert_tokens_to_ids, _QWEN_TOKENS), strict=True))


def _qwen_parts(tokenizer: PreTrainedTokenizerFast) -> _Parts:
    """Images become grids of 28 px cells, 1 to 16 of them."""
    return _Parts(
        Qwen2VLImageProcessorPil(patch_size=_PATCH, merge_size=2, size={"shortest_edge": 28 * 28, "longest_edge": 112 * 112}), tokenizer
    )


def _qwen2_5_vl() -> tuple[Any, Any, PreTrainedTokenizerFast]:
    tokenizer, ids = _qwen_tokenizer()
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 4,
        "patch_size": _PATCH,
        "out_hidden_size": 32,
        "fullatt_block_indexes": [1],
        "window_size": 56,
        "initializer_range": 0.2,
    }
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}
    build: Any = Qwen2_5_VLForConditionalGeneration
    config = Qwen2_5_VLConfig(vision_config=vision, text_config={**text_sizes(tokenizer), "rope_parameters": rope}, **ids)
    return build(config), _qwen_parts(tokenizer), tokenizer


def _qwen3_vl() -> tuple[Any, Any, PreTrainedTokenizerFast]:
    tokenizer, ids = _qwen_tokenizer()
    vision = {
        "depth": 3,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 4,
        "patch_size": _PATCH,
        "out_hidden_size": 32,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0, 1],
        "initializer_range": 0.2,
    }
    rope = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1], "mrope_interleaved": True}
    text = {**text_sizes(tokenizer), "num_hidden_layers": 3, "head_dim": 8, "rope_parameters": rope}
    build: Any = Qwen3VLForConditionalGeneration
    config = Qwen3VLConfig(vision_config=vision, text_config=text, **ids)
    return build(config), _qwen_parts(tokenizer), tokenizer


def _gemma3() -> tuple[Any, Any, PreTrainedTokenizerFast]:
    begin, end, soft = _GEMMA_TOKENS
    tokenizer = tiny_tokenizer((*SPECIAL_TOKENS, *_GEMMA_TOKENS), CHAT_TEMPLATE.replace("<image>", begin))
    names: Any = tokenizer
    names._set_model_specific_special_tokens({"boi_token": begin, "eoi_token": end, "image_token": soft})
    layers = ["sliding_attention", "full_attention"]
    text = Gemma3TextConfig(
        **text_sizes(tokenizer), head_dim=8, query_pre_attn_scalar=8, sliding_window=_GEMMA_SLIDING_WINDOW, layer_types=layers
    )
    vision = SiglipVisionConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=4 * _PATCH, patch_size=_PATCH
    )
    ids: Any = tokenizer.convert_tokens_to_ids(list(_GEMMA_TOKENS))
    config = Gemma3Config(
        text_config=text,
        vision_config=vision,
        mm_tokens_per_image=4,
        boi_token_index=ids[0],
        eoi_token_index=ids[1],
        image_token_index=ids[2],
        initializer_range=0.2,
        tie_word_embeddings=False,  # tied, a random model says its own last word for ever
    )
    side = {"height": 4 * _PATCH, "width": 4 * _PATCH}
    make_processor: Any = Gemma3Processor
    processor = make_processor(
        image_processor=Gemma3ImageProcessorPil(size=side), tokenizer=tokenizer, chat_template=tokenizer.chat_template, image_seq_length=4
    )
    model = Gemma3ForConditionalGeneration(config)
    with torch.no_grad():
        # The library begins with zeros: the model would be blind.
        model.model.multi_modal_projector.mm_input_projection_weight.normal_()
    return model, processor, tokenizer


_FAMILY_MODELS: dict[str, Callable[[], tuple[Any, Any, PreTrainedTokenizerFast]]] = {
    "qwen2.5-vl": _qwen2_5_vl,
    "qwen3-vl": _qwen3_vl,
    "gemma3": _gemma3,
}
ALL_MODELS = {
    "llava-llama": "LlavaForConditionalGeneration",
    "llava-next-llama": "LlavaNextForConditionalGeneration",
    "llava-next-mistral": "LlavaNextForConditionalGeneration",
    "qwen2.5-vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen3-vl": "Qwen3VLForConditionalGeneration",
    "gemma3": "Gemma3ForConditionalGeneration",
}
"""What family_policy makes, by name, and the architecture each one is of."""
