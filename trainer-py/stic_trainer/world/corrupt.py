"""Spoiled pictures for the base model's training: the description beside them is then the only source."""

from __future__ import annotations

import random

from PIL import Image, ImageFilter

from stic_trainer.world.scene import IMAGE_PIXELS


def spoil(picture: Image.Image, rng: random.Random) -> Image.Image:
    """A blank sheet, a blur that leaves no shape, or a few huge pixels; the same size as ``picture``."""
    way = rng.randrange(3)
    if way == 0:
        return Image.new("RGB", picture.size, tuple(rng.randrange(256) for _ in range(3)))
    if way == 1:
        return picture.filter(ImageFilter.GaussianBlur(IMAGE_PIXELS / 6))
    tiny = picture.resize((4, 4), Image.Resampling.BOX)
    return tiny.resize(picture.size, Image.Resampling.NEAREST)
