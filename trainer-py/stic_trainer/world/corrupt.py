"""Spoiled pictures for the base model's training."""

from __future__ import annotations

import random

from PIL import Image, ImageFilter

from stic_trainer.world.scene import IMAGE_PIXELS


def blur(picture: Image.Image) -> Image.Image:
    """The method's low-resolution corruption: the shorter side reduced to 20 pixels; the model's processor enlarges it."""
    return picture.resize((20, 20), Image.Resampling.BICUBIC)


def spoil(picture: Image.Image, rng: random.Random) -> Image.Image:
    """A blank sheet, a blur that leaves no shape, or a few huge pixels; the same size as ``picture``.

    A description beside such a picture is the only source.
    """
    way = rng.randrange(3)
    if way == 0:
        return Image.new("RGB", picture.size, tuple(rng.randrange(256) for _ in range(3)))
    if way == 1:
        return picture.filter(ImageFilter.GaussianBlur(IMAGE_PIXELS / 6))
    tiny = picture.resize((4, 4), Image.Resampling.BOX)
    return tiny.resize(picture.size, Image.Resampling.NEAREST)
