"""Images as the language model takes them in: how many tokens each one has, and its projected features.

Features are computed one image at a time, so they do not depend on what else is in a batch.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from stic_trainer.data.images import ImageProblem, open_rgb
from stic_trainer.modeling.families import Family
from stic_trainer.modeling.image_text import BLANK_SIZE, process_image, read_image_text
from stic_trainer.modeling.inputs import ImageFeatures

_CACHE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class ImageFile:
    """An image by content and by place."""

    sha256: str
    path: Path
    size: tuple[int, int] | None = None
    """(width, height) in px after decoding; None before it has been decoded."""


class ImageEncoder:
    """Vision tower and projector of a model. ``reuse`` says whether features of recent images are kept."""

    def __init__(self, base: Any, processor: Any, family: Family) -> None:
        self.reuse = True
        self._base = base
        self._processor = processor
        self._family = family
        self._blank_tokens = read_image_text(processor).count
        self._features: OrderedDict[str, ImageFeatures] = OrderedDict()
        self._bytes = 0
        self._tokens: dict[str, int] = {}

    def num_tokens(self, image: ImageFile) -> int:
        """Number of image tokens, from the decoded image's size alone. ImageProblem for an unusable file."""
        key = image.sha256 if self._family.any_resolution else ""
        if key not in self._tokens:
            width, height = (image.size or open_rgb(image.path).size) if self._family.any_resolution else (1, 1)
            self._tokens[key] = self.num_tokens_of(width, height)
        return self._tokens[key]

    def num_tokens_of(self, width: int, height: int) -> int:
        """Number of image tokens of an image of this size, px. ImageProblem where the image processor has no answer."""
        if not self._family.any_resolution:
            return self._blank_tokens
        sizes = [(height, width), BLANK_SIZE[::-1]]
        try:
            tokens, blank = self._processor._get_num_multimodal_tokens(image_sizes=sizes)["num_image_tokens"]
            # Some processors count the tokens around an image too, which stand for no part of it.
            return int(tokens - blank) + self._blank_tokens
        except (ValueError, ArithmeticError) as error:
            raise ImageProblem("UNREADABLE", f"the image processor cannot take {width} x {height} px: {error}") from error

    def encode(self, image: ImageFile) -> ImageFeatures:
        """One image's projected features; recent ones are kept. ImageProblem for an image that cannot be used, whatever the cause."""
        features = self._features.get(image.sha256)
        if features is None:
            features = self._encode(open_rgb(image.path))
            if len(features) != self.num_tokens(image):
                raise ImageProblem(
                    "UNREADABLE", f"the image has {len(features)} features where its size stands for {self.num_tokens(image)} tokens"
                )
            if self.reuse:
                self._keep(image.sha256, features)
        else:
            self._features.move_to_end(image.sha256)
        return features

    @torch.no_grad()
    def _encode(self, image: Image.Image) -> ImageFeatures:
        device, dtype = self._base.device, self._base.dtype
        try:
            inputs = process_image(self._processor, image)
            arguments = {name: inputs[name].to(device) for name in self._family.image_inputs}
        except MemoryError:
            raise
        except Exception as error:  # a processor fed with any size may raise anything, and one image must not end a run
            raise ImageProblem("UNREADABLE", f"the image processor cannot take {image.width} x {image.height} px: {error}") from error
        arguments["pixel_values"] = arguments["pixel_values"].to(dtype)
        output = self._base.model.get_image_features(**arguments, return_dict=True)
        features = torch.cat(tuple(output.pooler_output))
        layers = tuple(layer[0] for layer in getattr(output, "deepstack_features", None) or ())
        return ImageFeatures(features, layers, self._grid(arguments))

    def _grid(self, arguments: dict[str, Tensor]) -> tuple[int, int] | None:
        if "image_grid_thw" not in arguments:
            return None
        merge = self._processor.image_processor.merge_size
        _, rows, columns = arguments["image_grid_thw"][0].tolist()
        return rows // merge, columns // merge

    def _keep(self, key: str, features: ImageFeatures) -> None:
        self._features[key] = features
        self._bytes += features.nbytes
        while self._bytes > _CACHE_BYTES and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self._bytes -= oldest.nbytes
