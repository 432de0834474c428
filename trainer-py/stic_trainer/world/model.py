"""The world's model: a LLaVA of the transformers library, small enough to be trained and run on a laptop's processor.

The patch is one cell of the scene's grid, so a picture is nine image tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    MistralConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from stic_trainer.world.scene import CELL_PIXELS, CELLS, IMAGE_PIXELS
from stic_trainer.world.tokenizer import CHAT_TEMPLATE, IMAGE_TOKEN, token_id

MODEL_FOLDER = Path(__file__).resolve().parent / "model"
MAX_FOLDER_BYTES = 8_000_000


def build_model(tokenizer: PreTrainedTokenizerFast, *, seed: int) -> LlavaForConditionalGeneration:
    """The untrained model, fp32, its weights drawn from ``seed``."""
    vision = CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=IMAGE_PIXELS,
        patch_size=CELL_PIXELS,
        projection_dim=128,
    )
    text = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=512,
        sliding_window=None,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=token_id(tokenizer, IMAGE_TOKEN),
        image_seq_length=len(CELLS),
        tie_word_embeddings=True,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
    )
    torch.manual_seed(seed)
    model = LlavaForConditionalGeneration(config)
    make_generation_config: Any = GenerationConfig
    model.generation_config = make_generation_config(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Tokenizer, chat template and a Pillow image processor that squeezes any picture to 96 x 96."""
    side = {"height": IMAGE_PIXELS, "width": IMAGE_PIXELS}
    images = CLIPImageProcessorPil(
        size=side, do_center_crop=False, crop_size=side, image_mean=[0.5, 0.5, 0.5], image_std=[0.25, 0.25, 0.25]
    )
    make_processor: Any = LlavaProcessor
    processor: LlavaProcessor = make_processor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=CELL_PIXELS,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    return processor


def save_model(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> int:
    """Writes a Hugging Face folder; its size in bytes. ValueError above MAX_FOLDER_BYTES."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MAX_FOLDER_BYTES:
        raise ValueError(f"the model folder {folder} has {size} bytes; at most {MAX_FOLDER_BYTES} are allowed")
    return size
