"""Which models are supported, and what is particular about each. Anything else is refused by name.

What a record claims is proved by families_test.py on a tiny random model of the family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stic_trainer.errors import StageError


class Positions(StrEnum):
    """What rotary embeddings turn by."""

    SEQUENCE = "sequence"
    """The place in the conversation."""
    GRID = "grid"
    """Three numbers: an image's tokens have its row and column, and text goes on after the longer side (mRoPE)."""


class ImageAttention(StrEnum):
    CAUSAL = "causal"
    BIDIRECTIONAL = "bidirectional"
    """An image's tokens see each other in both directions."""


@dataclass(frozen=True, kw_only=True)
class Family:
    architecture: str
    """Class of the transformers library."""
    processor: str
    """Class of the transformers library."""
    language_models: tuple[str, ...]
    """Accepted ``model_type`` of the text configuration; the first is meant where the configuration says nothing."""
    vision_models: tuple[str, ...] = ()
    """Accepted ``model_type`` of the vision configuration; empty where the architecture has one of its own."""
    image_inputs: tuple[str, ...]
    """Outputs of the image processor that the vision tower takes."""
    any_resolution: bool
    """Whether the number of image tokens depends on the image's size."""
    positions: Positions = Positions.SEQUENCE
    image_attention: ImageAttention = ImageAttention.CAUSAL
    shares_prefix: bool
    """Exact: a pair scored in one row [prefix | chosen | rejected]."""
    packs: bool
    """Exact: several conversations trained in one row."""
    shares_image: bool
    """Exact: one prefill of [template head + image] for all prompts on an image."""


_DECODERS = ("llama", "mistral", "qwen2")
_TOWERS = ("clip_vision_model", "siglip_vision_model")

_FAMILIES = {
    family.architecture: family
    for family in (
        Family(
            architecture="LlavaForConditionalGeneration",
            processor="LlavaProcessor",
            language_models=_DECODERS,
            vision_models=_TOWERS,
            image_inputs=("pixel_values",),
            any_resolution=False,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
        Family(
            architecture="LlavaNextForConditionalGeneration",
            processor="LlavaNextProcessor",
            language_models=_DECODERS,
            vision_models=("clip_vision_model",),
            image_inputs=("pixel_values", "image_sizes"),
            any_resolution=True,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
        Family(
            architecture="Qwen2_5_VLForConditionalGeneration",
            processor="Qwen2_5_VLProcessor",
            language_models=("qwen2_5_vl_text",),
            image_inputs=("pixel_values", "image_grid_thw"),
            any_resolution=True,
            positions=Positions.GRID,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
        Family(
            architecture="Qwen3VLForConditionalGeneration",
            processor="Qwen3VLProcessor",
            language_models=("qwen3_vl_text",),
            image_inputs=("pixel_values", "image_grid_thw"),
            any_resolution=True,
            positions=Positions.GRID,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
        Family(
            architecture="Gemma3ForConditionalGeneration",
            processor="Gemma3Processor",
            language_models=("gemma3_text",),
            image_inputs=("pixel_values",),
            any_resolution=False,
            image_attention=ImageAttention.BIDIRECTIONAL,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
        Family(
            architecture="InternVLForConditionalGeneration",
            processor="InternVLProcessor",
            language_models=("qwen2", "qwen3", "llama"),
            image_inputs=("pixel_values",),
            any_resolution=True,
            shares_prefix=True,
            packs=True,
            shares_image=True,
        ),
    )
}


def families() -> tuple[Family, ...]:
    return tuple(_FAMILIES.values())


def find_family(config: Mapping[str, Any]) -> Family:
    """The family of a model folder's config.json. StageError MODEL_UNSUPPORTED names what was found and what would do."""
    architecture = config["architectures"][0]
    family = _FAMILIES.get(architecture)
    if family is None:
        raise StageError(
            "MODEL_UNSUPPORTED",
            f"the architecture {architecture} is not supported",
            "model.path",
            f"supported are {', '.join(sorted(_FAMILIES))}",
        )
    language = (config.get("text_config") or {}).get("model_type", family.language_models[0])
    if language not in family.language_models:
        raise StageError(
            "MODEL_UNSUPPORTED",
            f"{architecture} with a language model of type {language} is not supported",
            "model.path",
            f"supported language models are {', '.join(family.language_models)}",
        )
    return family
