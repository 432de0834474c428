"""How a model's own processor takes an image: the inputs of the vision tower, and the text that stands for the image in a prompt.

The processor is called as a whole. It has settings beside its image processor's: InternVL's cuts an image into tiles, and its image
processor alone would not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from stic_trainer.errors import StageError

BLANK_SIZE = (64, 64)
"""(width, height) in px of the image that a processor is tried with."""


@dataclass(frozen=True)
class ImageText:
    """``before``, ``count`` times ``token``, ``after``: what a processor writes for a blank image of BLANK_SIZE."""

    before: str
    token: str
    count: int
    after: str

    def of(self, image_tokens: int) -> str:
        """The text for an image of that many tokens."""
        return f"{self.before}{self.token * image_tokens}{self.after}"


def process_image(processor: Any, image: Image.Image) -> Any:
    """The processor's outputs for an RGB image behind its placeholder: the vision tower's inputs by name, and ``input_ids`` (1, tokens)."""
    return processor(images=[image], text=[processor.image_token], return_tensors="pt")


def read_image_text(processor: Any) -> ImageText:
    """What the processor writes for an image. StageError MODEL_INVALID where it cannot take any."""
    try:
        images = processor(images=[Image.new("RGB", BLANK_SIZE)], text=[processor.image_token], return_text_replacement_offsets=True)
        ((written,),) = images["text_replacement_offsets"]
        token: str = processor.tokenizer.convert_ids_to_tokens(processor.image_token_ids[0])
        before, *between, after = written["replacement"].split(token)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, IndexError) as error:
        raise StageError(
            "MODEL_INVALID",
            f"the processor cannot put an image of {BLANK_SIZE[0]} x {BLANK_SIZE[1]} px into a prompt: {error}",
            "processor",
            "the folder's processor_config.json and preprocessor_config.json must be those that the model was published with",
        ) from error
    return ImageText(before, token, len(between) + 1, after)
