"""Models with random weights and the image-token counts of the real ones, as Hugging Face folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaProcessor,
    MistralConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

from stic_trainer.modeling.testing import IMAGE_TOKEN, save_model, tiny_tokenizer

SIDE, PATCH = 336, 14  # px, as in LLaVA: 24 x 24 = 576 tokens a tile
PINPOINTS = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]


@dataclass(frozen=True)
class Shape:
    """Sizes of the language model and the tower. The tower's share of the work is that of LLaVA-1.6-7B, about a twentieth."""

    name: str
    any_resolution: bool
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    tower_hidden: int
    tower_layers: int
    tower_heads: int
    tower_inner: int
    vocabulary: int = 32_064


QUICK_NEXT = Shape("next-quick", True, 128, 2, 4, 2, 320, 64, 2, 4, 128, 4096)
NEXT = Shape("next", True, 384, 6, 6, 2, 1024, 128, 4, 4, 512)
QUICK_LLAVA = Shape("llava-quick", False, 128, 2, 4, 2, 320, 64, 2, 4, 128, 4096)
LLAVA = Shape("llava", False, 256, 4, 4, 2, 704, 96, 3, 4, 384)
NEXT_7B = Shape("next-7b", True, 4096, 32, 32, 8, 14_336, 1024, 24, 16, 4096)


def make_model(folder: Path, shape: Shape, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Path:
    """The folder of ``shape`` below ``folder``, made when it is not there."""
    target = folder / shape.name
    if not (target / "config.json").exists():
        tokenizer = tiny_tokenizer()
        tokenizer.model_max_length = 32_768
        torch.manual_seed(seed)
        torch.set_default_dtype(dtype)
        try:
            model, processor = _any_resolution(shape, tokenizer) if shape.any_resolution else _fixed(shape, tokenizer)
        finally:
            torch.set_default_dtype(torch.float32)
        save_model(target, model, processor, tokenizer)
    return target


def _vision(shape: Shape) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=shape.tower_hidden,
        intermediate_size=shape.tower_inner,
        num_hidden_layers=shape.tower_layers,
        num_attention_heads=shape.tower_heads,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=shape.tower_hidden,
    )


def _text(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "max_position_embeddings": 32_768,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _any_resolution(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> tuple[Any, Any]:
    config = LlavaNextConfig(
        vision_config=_vision(shape),
        text_config=MistralConfig(**_text(shape, tokenizer), sliding_window=None),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        image_grid_pinpoints=PINPOINTS,
    )
    return LlavaNextForConditionalGeneration(config), any_resolution_processor(tokenizer)


def any_resolution_processor(tokenizer: PreTrainedTokenizerFast) -> Any:
    """llava-v1.6's."""
    side = {"height": SIDE, "width": SIDE}
    images = LlavaNextImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=side, image_grid_pinpoints=PINPOINTS)
    return _processor(LlavaNextProcessor, images, tokenizer)


def _fixed(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> tuple[Any, Any]:
    config = LlavaConfig(
        vision_config=_vision(shape),
        text_config=LlamaConfig(**_text(shape, tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        image_seq_length=(SIDE // PATCH) ** 2,
    )
    side = {"height": SIDE, "width": SIDE}
    images = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=side)
    return LlavaForConditionalGeneration(config), _processor(LlavaProcessor, images, tokenizer)


def _processor(kind: Any, images: Any, tokenizer: PreTrainedTokenizerFast) -> Any:
    return kind(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )
