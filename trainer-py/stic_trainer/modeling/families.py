"""Which models are supported, and what is particular about each. Anything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stic_trainer.errors import StageError


@dataclass(frozen=True)
class Family:
    architecture: str
    """Class of the transformers library."""
    image_inputs: tuple[str, ...]
    """Outputs of the image processor that the vision tower takes."""
    any_resolution: bool
    """Whether the number of image tokens depends on the image's size."""
    shares_prefix: bool = True
    """Exact: a pair scored in one row [prefix | chosen | rejected]."""


_FAMILIES = {
    family.architecture: family
    for family in (
        Family("LlavaForConditionalGeneration", ("pixel_values",), any_resolution=False),
        Family("LlavaNextForConditionalGeneration", ("pixel_values", "image_sizes"), any_resolution=True),
    )
}

# Decoders with plain causal attention and one-dimensional positions: shared prefixes are exact with them.
_LANGUAGE_MODELS = ("llama", "mistral", "qwen2")


def find_family(config: Mapping[str, Any]) -> Family:
    """The family of a model folder's config.json. StageError MODEL_UNSUPPORTED names what was found and what would do."""
    architecture = (config.get("architectures") or ["none"])[0]
    if architecture not in _FAMILIES:
        raise StageError(
            "MODEL_UNSUPPORTED",
            f"the architecture {architecture} is not supported",
            "model.path",
            f"supported are {', '.join(sorted(_FAMILIES))}",
        )
    language = (config.get("text_config") or {}).get("model_type", "llama")
    if language not in _LANGUAGE_MODELS:
        raise StageError(
            "MODEL_UNSUPPORTED",
            f"{architecture} with a language model of type {language} is not supported",
            "model.path",
            f"supported language models are {', '.join(_LANGUAGE_MODELS)}",
        )
    return _FAMILIES[architecture]
