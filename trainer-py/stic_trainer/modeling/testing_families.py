"""For tests: tiny random models of the families that write images into the text in ways of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLVisionConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Config,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    SiglipVisionConfig,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.testing import (
    CHAT_TEMPLATE,
    IMAGE_TOKEN,
    SPECIAL_TOKENS,
    TINY_MODELS,
    save_model,
    text_sizes,
    tiny_policy,
    tiny_tokenizer,
)

_QWEN_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_GEMMA_TOKENS = ("<start_of_image>", "<end_of_image>", "<image_soft_token>")
_GEMMA_SLIDING_WINDOW = 24
_INTERNVL_TOKENS = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
_PATCH = 14  # px


class _Parts:
    """Image processor, tokenizer and the processor's own settings, saved one by one: the processor needs torchvision."""

    def __init__(self, *parts: Any, settings: Mapping[str, Any] | None = None) -> None:
        self._parts = parts
        self._settings = settings

    def save_pretrained(self, folder: Path) -> None:
        for part in self._parts:
            part.save_pretrained(folder)
        if self._settings is not None:
            (folder / "processor_config.json").write_text(json.dumps(self._settings))


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


def _llava_siglip() -> tuple[Any, Any, PreTrainedTokenizerFast]:
    """As llava-hf/llava-interleave-qwen-0.5b-hf is laid out: no token for the whole image, and a side that patches do not fill."""
    tokenizer = tiny_tokenizer()
    side = 3 * _PATCH + 6
    vision = SiglipVisionConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=side, patch_size=_PATCH
    )
    config = LlavaConfig(
        vision_config={**vision.to_dict(), "vision_use_head": False},
        text_config=Qwen2Config(**text_sizes(tokenizer)),
        image_token_index=SPECIAL_TOKENS.index(IMAGE_TOKEN),
        image_seq_length=9,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    make_processor: Any = LlavaProcessor
    processor = make_processor(
        image_processor=SiglipImageProcessorPil(size={"height": side, "width": side}),
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="full",
        chat_template=tokenizer.chat_template,
    )
    return LlavaForConditionalGeneration(config), processor, tokenizer


def _internvl(language: str, **text: Any) -> tuple[Any, Any, PreTrainedTokenizerFast]:
    """Tiles of 56 px with 4 tokens each, and one more of the whole image where there are several."""
    context = _INTERNVL_TOKENS["context_image_token"]
    build: Any = InternVLConfig
    tokenizer = tiny_tokenizer((*SPECIAL_TOKENS, *_INTERNVL_TOKENS.values()), CHAT_TEMPLATE.replace(IMAGE_TOKEN, context))
    names: Any = tokenizer
    names._set_model_specific_special_tokens(_INTERNVL_TOKENS)
    side = 4 * _PATCH
    vision = InternVLVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        attention_bias=True,
        image_size=(side, side),
        layer_scale_init_value=1.0,
        initializer_range=0.2,
    )
    config = build(
        vision_config=vision,
        text_config=CONFIG_MAPPING[language](**text_sizes(tokenizer), **text),
        image_token_id=tokenizer.convert_tokens_to_ids(context),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    images = GotOcr2ImageProcessorPil(size={"height": side, "width": side})
    parts = _Parts(images, tokenizer, settings={"processor_class": "InternVLProcessor", "image_seq_length": 4})
    return InternVLForConditionalGeneration(config), parts, tokenizer


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
    "llava-qwen2-siglip": _llava_siglip,
    "internvl3": partial(_internvl, "qwen2", rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1_000_000.0}),
    "internvl3.5": partial(_internvl, "qwen3", head_dim=16),
}
ALL_MODELS = {
    "llava-llama": "LlavaForConditionalGeneration",
    "llava-llama-tied": "LlavaForConditionalGeneration",
    "llava-qwen2-siglip": "LlavaForConditionalGeneration",
    "llava-next-llama": "LlavaNextForConditionalGeneration",
    "llava-next-mistral": "LlavaNextForConditionalGeneration",
    "qwen2.5-vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen3-vl": "Qwen3VLForConditionalGeneration",
    "gemma3": "Gemma3ForConditionalGeneration",
    "internvl3": "InternVLForConditionalGeneration",
    "internvl3.5": "InternVLForConditionalGeneration",
}
"""What family_policy makes, by name, and the architecture each one is of."""
