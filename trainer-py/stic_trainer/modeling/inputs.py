"""What the language model is given: embeddings with images in their places, positions to turn by, and one mask per kind of layer.

Where families differ there is one function for each way, chosen by the family's record. Legend: rows B, new tokens Q, keys K
(what a row has read before, and the new tokens, last).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stic_trainer.modeling.families import ImageAttention, Positions


@dataclass(frozen=True)
class ImageFeatures:
    """One image as the language model takes it in."""

    features: Tensor
    """(image tokens, hidden), in the places of the image's tokens."""
    layers: tuple[Tensor, ...]
    """(image tokens, hidden) each, added in the same places behind the first decoder layers (DeepStack); mostly none."""
    grid: tuple[int, int] | None
    """Rows and columns of the image's tokens, for families whose positions need them."""

    def __len__(self) -> int:
        return len(self.features)

    @property
    def nbytes(self) -> int:
        return self.features.nbytes + sum(layer.nbytes for layer in self.layers)

    @property
    def position_offset(self) -> int:
        """What the image adds to the grid positions of the text behind it, compared with its place in the sequence."""
        return 0 if self.grid is None else max(self.grid) - len(self)


def sequence_positions(positions: Tensor, images: Tensor, features: Sequence[ImageFeatures], position_offsets: Tensor | None) -> Tensor:
    return positions


def grid_positions(positions: Tensor, images: Tensor, features: Sequence[ImageFeatures], position_offsets: Tensor | None) -> Tensor:
    """(3, B, Q): time, row and column. Text has the same number thrice.

    positions: (B, Q) places in the conversation, which begins at 0; several conversations may follow each other in a row, and a
    conversation may branch. images: (B, Q) where ``features`` lie, in order. position_offsets: (B,) of images that a row has read before.
    """
    grid = positions.expand(3, -1, -1).clone()
    if position_offsets is not None:
        grid += position_offsets[:, None]
    conversation = (positions == 0).cumsum(dim=1)
    rows, columns = images.nonzero(as_tuple=True)
    start = 0
    for image_features in features:
        assert image_features.grid is not None
        row, places = rows[start], columns[start : start + len(image_features)]
        token = torch.arange(len(image_features), device=positions.device)
        width = image_features.grid[1]
        grid[:, row, places] = positions[row, places[0]] + torch.stack((torch.zeros_like(token), token // width, token % width))
        after = (conversation[row] == conversation[row, places[0]]) & (positions[row] > positions[row, places[-1]])
        grid[:, row, after] += image_features.position_offset
        start += len(image_features)
    return grid


def causal_images(mask: Tensor, images: Tensor) -> Tensor:
    return mask


def bidirectional_images(mask: Tensor, images: Tensor) -> Tensor:
    """The mask (B, 1, Q, K) with every image's tokens among the Q seeing each other. An image is a run of image tokens."""
    before = torch.nn.functional.pad(images, (1, 0))[:, :-1]
    run = (images & ~before).cumsum(dim=1).masked_fill(~images, 0)
    same = (run[:, :, None] == run[:, None, :]) & images[:, :, None]
    opened = mask.clone()
    opened[..., -images.shape[1] :] |= same[:, None]
    return opened


def layer_masks(mask: Tensor, queries: Tensor, keys: Tensor, config: Any) -> Tensor | dict[str, Tensor]:
    """The mask as the decoder's layers need it. Where only some have a sliding window, they see less: by position, not by place.

    queries (B, Q) and keys (B, K) are positions; config is the text configuration.
    """
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds != {"full_attention", "sliding_attention"}:
        return mask
    near = mask & (queries[:, None, :, None] - keys[:, None, None, :] < config.sliding_window)
    return {"full_attention": mask, "sliding_attention": near}


def sliding_window(config: Any) -> int | None:
    """Positions that every layer sees at most, itself included; None where some layer sees all. The caller's mask has this window."""
    window: int | None = getattr(config, "sliding_window", None)
    everywhere = "full_attention" not in (getattr(config, "layer_types", None) or ())
    return window if everywhere and getattr(config, "use_sliding_window", True) else None


POSITIONS: dict[Positions, Callable[[Tensor, Tensor, Sequence[ImageFeatures], Tensor | None], Tensor]] = {
    Positions.SEQUENCE: sequence_positions,
    Positions.GRID: grid_positions,
}
IMAGE_ATTENTION: dict[ImageAttention, Callable[[Tensor, Tensor], Tensor]] = {
    ImageAttention.CAUSAL: causal_images,
    ImageAttention.BIDIRECTIONAL: bidirectional_images,
}
