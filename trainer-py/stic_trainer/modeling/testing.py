"""For tests: tiny random models of the real classes, as normal Hugging Face folders.

Every printable ASCII character is a token, so any prompt can be written and what a random model says can be read. Weights are
larger than a fresh model's: attention must be sharp enough for a wrong mask or position to show in a log-probability.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
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

from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.vision import ImageFile

IMAGE_TOKEN = "<image>"
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>", IMAGE_TOKEN)
CHARACTERS = (*map(chr, range(32, 127)), "\n")
SLIDING_WINDOW = 24
"""Of "llava-next-mistral": shorter than any row with an image, in tokens."""

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{%- for message in messages -%}"
    "{{ 'A: ' if message['role'] == 'assistant' else 'S: ' if message['role'] == 'system' else 'U: ' }}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}<image>{{ '\n' }}{%- else -%}{{ part['text'] }}{%- endif -%}"
    "{%- endfor -%}"
    "{{ eos_token if message['role'] == 'assistant' else '\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}A: {% endif -%}"
)

_PATCH, _SIDE = 14, 28  # px; a tile is 2 x 2 patches
_PINPOINTS = [[28, 56], [56, 28], [56, 56], [28, 84]]


@dataclass(frozen=True)
class TinyLora:
    """An adapter's settings, as the recipe's LoraConfig has them."""

    rank: int = 4
    alpha: float = 8.0
    dropout: float = 0.0
    target_modules: Sequence[str] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def tiny_tokenizer(special_tokens: Sequence[str] = SPECIAL_TOKENS, template: str = CHAT_TEMPLATE) -> PreTrainedTokenizerFast:
    """One token per character. ``special_tokens`` begin with those of SPECIAL_TOKENS, a family's own follow."""
    vocabulary = {token: index for index, token in enumerate([*special_tokens, *CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens])
    build: Any = PreTrainedTokenizerFast
    fast: PreTrainedTokenizerFast = build(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=list(special_tokens[4:]),
        padding_side="left",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = template
    return fast


def text_sizes(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Arguments that every language model's configuration takes."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "initializer_range": 0.2,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def save_tiny_model(folder: Path, name: str = "llava-llama", *, seed: int = 0) -> Path:
    """Writes the model ``name`` of TINY_MODELS with weights drawn from ``seed``; returns ``folder``."""
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, processor = TINY_MODELS[name](tokenizer)
    return save_model(folder, model, processor, tokenizer)


def save_model(folder: Path, model: Any, processor: Any, tokenizer: PreTrainedTokenizerFast) -> Path:
    """A model of one's own making as a folder; generation ends with the tokenizer's end token and with nothing else."""
    make_generation_config: Any = GenerationConfig
    model.generation_config = make_generation_config(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def tiny_policy(folder: Path, name: str = "llava-llama", *, dtype: torch.dtype = torch.float64) -> Policy:
    """The tiny model ``name`` in ``folder``, made there when it does not exist."""
    if not (folder / "config.json").exists():
        save_tiny_model(folder, name)
    return load_policy(folder, device="cpu", dtype=dtype)


def add_random_adapter(policy: Policy, settings: TinyLora = TinyLora(), *, seed: int = 1) -> None:
    """An adapter that changes something: a fresh one's second half is zero."""
    policy.adapters.add(settings, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.adapters.trainable().values():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.2)


def keep_norms_in_full_precision(policy: Policy) -> None:
    """The library's RMS norms compute in fp32 whatever the model's type, and so hide what an fp64 gradient would show."""
    for parent in list(policy.language_model.modules()):
        for name, norm in parent.named_children():
            if type(norm).__name__.endswith("RMSNorm"):
                exact = torch.nn.RMSNorm(norm.weight.shape, eps=norm.variance_epsilon, dtype=policy.dtype)
                exact.weight = norm.weight
                setattr(parent, name, exact)


def paint(folder: Path, size: tuple[int, int] = (40, 40), *, seed: int = 0) -> ImageFile:
    """A picture of random colours, ``size`` = (width, height) px, as a PNG named by its content."""
    rng = random.Random(seed)
    small = Image.frombytes("RGB", (4, 4), rng.randbytes(48))
    image = small.resize(size, Image.Resampling.BILINEAR)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"draft-{seed}.png"
    image.save(draft)
    sha256 = hashlib.sha256(draft.read_bytes()).hexdigest()
    return ImageFile(sha256, draft.replace(folder / f"{sha256}.png"))


def _vision() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=_SIDE,
        patch_size=_PATCH,
        projection_dim=32,
        initializer_range=0.2,
        initializer_factor=1.0,
    )


def _llava_llama(tokenizer: PreTrainedTokenizerFast, *, tied: bool = False) -> tuple[Any, Any]:
    config = LlavaConfig(
        vision_config=_vision(),
        text_config=LlamaConfig(**text_sizes(tokenizer), tie_word_embeddings=tied),
        tie_word_embeddings=tied,
        image_token_index=SPECIAL_TOKENS.index(IMAGE_TOKEN),
        image_seq_length=(_SIDE // _PATCH) ** 2,
        vision_feature_layer=-1,
    )
    side = {"height": _SIDE, "width": _SIDE}
    images = CLIPImageProcessorPil(size=side, crop_size=side, do_center_crop=False)
    return LlavaForConditionalGeneration(config), _processor(LlavaProcessor, images, tokenizer)


def _llava_llama_tied(tokenizer: PreTrainedTokenizerFast) -> tuple[Any, Any]:
    return _llava_llama(tokenizer, tied=True)


def _llava_next(tokenizer: PreTrainedTokenizerFast, language: LlamaConfig | MistralConfig) -> tuple[Any, Any]:
    config = LlavaNextConfig(
        vision_config=_vision(),
        text_config=language,
        image_token_index=SPECIAL_TOKENS.index(IMAGE_TOKEN),
        image_grid_pinpoints=_PINPOINTS,
        vision_feature_layer=-1,
    )
    side = {"height": _SIDE, "width": _SIDE}
    images = LlavaNextImageProcessorPil(size={"shortest_edge": _SIDE}, crop_size=side, image_grid_pinpoints=_PINPOINTS, do_center_crop=True)
    return LlavaNextForConditionalGeneration(config), _processor(LlavaNextProcessor, images, tokenizer)


def _llava_next_llama(tokenizer: PreTrainedTokenizerFast) -> tuple[Any, Any]:
    return _llava_next(tokenizer, LlamaConfig(**text_sizes(tokenizer)))


def _llava_next_mistral(tokenizer: PreTrainedTokenizerFast) -> tuple[Any, Any]:
    return _llava_next(tokenizer, MistralConfig(**text_sizes(tokenizer), sliding_window=SLIDING_WINDOW))


def _processor(kind: Any, images: Any, tokenizer: PreTrainedTokenizerFast) -> Any:
    return kind(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=_PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )


TINY_MODELS: dict[str, Callable[[PreTrainedTokenizerFast], tuple[Any, Any]]] = {
    "llava-llama": _llava_llama,
    "llava-llama-tied": _llava_llama_tied,
    "llava-next-llama": _llava_next_llama,
    "llava-next-mistral": _llava_next_mistral,
}
"""Model and processor by name."""
