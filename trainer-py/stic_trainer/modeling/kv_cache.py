"""What a batch of rows has read so far: the decoder's keys and values, and where in its row each of them stands.

Keys of different rows need not line up: a mask by position says who sees whom, so padding may lie anywhere and what was read
once can be repeated for several rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from stic_trainer.modeling.inputs import ImageFeatures
from stic_trainer.modeling.policy import Policy

_PADDING = -1
_ROOM = 64
"""Tokens by which buffers grow."""


class KvCache:
    """Rows B, tokens of one call Q, keys so far K."""

    def __init__(self, policy: Policy, rows: int) -> None:
        self._policy = policy
        # Layers with a sliding window keep all keys too: what lies within it is judged by position, not by place.
        self._cache = Cache(layer_class_to_replicate=_RoomyLayer)
        self._positions = torch.full((rows, 0), _PADDING, device=policy.device)
        self._lengths = torch.zeros(rows, dtype=torch.long, device=policy.device)
        self._offsets = torch.zeros(rows, dtype=torch.long, device=policy.device)

    def read(self, ids: Tensor, lengths: Tensor | None = None, features: Sequence[ImageFeatures | None] = ()) -> Tensor:
        """(B, hidden): the last token's hidden state, after the next tokens (B, Q) of every row.

        lengths: (B,) tokens of each row, which stand at the right; all of Q when None. features: one a row, of its image among
        these tokens.
        """
        width = ids.shape[1]
        counts = torch.full_like(self._lengths, width) if lengths is None else lengths
        place = torch.arange(width, device=ids.device) - (width - counts)[:, None]
        positions = torch.where(place >= 0, self._lengths[:, None] + place, _PADDING)
        self._positions = torch.cat((self._positions, positions), dim=1)
        inputs = self._policy.inputs(
            ids,
            positions,
            self._mask(positions),
            [each for each in features if each is not None],
            position_offsets=self._offsets,
            key_positions=self._positions,
        )
        self._lengths = self._lengths + counts
        if features:
            self._offsets = self._offsets + torch.tensor([each.position_offset if each else 0 for each in features], device=ids.device)
        last: Tensor = self._policy.language_model(**inputs, past_key_values=self._cache, use_cache=True).last_hidden_state[:, -1]
        return last

    def select(self, rows: Tensor) -> None:
        """These rows from now on, some perhaps repeated."""
        self._cache.batch_select_indices(rows)
        self._positions, self._lengths, self._offsets = self._positions[rows], self._lengths[rows], self._offsets[rows]

    def _mask(self, positions: Tensor) -> Tensor:
        """(B, 1, Q, K)"""
        keys, queries = self._positions[:, None, None, :], positions[:, None, :, None]
        mask = (keys != _PADDING) & (keys <= queries)
        if self._policy.sliding_window is not None:
            mask &= queries - keys < self._policy.sliding_window
        if positions.shape[1] > 1:
            # Padding sees itself: a softmax over nothing would be NaN.
            mask[..., -positions.shape[1] :] |= torch.eye(positions.shape[1], dtype=torch.bool, device=positions.device)
        return mask


class _RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values in buffers with room to grow: a new token is written beside the others, which are not copied."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._length = 0
            self._buffers = (key_states[:, :, :0], value_states[:, :, :0])
        start, self._length = self._length, self._length + key_states.shape[-2]
        self._buffers = (_grown(self._buffers[0], start, self._length), _grown(self._buffers[1], start, self._length))
        self._buffers[0][:, :, start : self._length] = key_states
        self._buffers[1][:, :, start : self._length] = value_states
        return self._show()

    def batch_select_indices(self, indices: Tensor) -> None:
        self._buffers = (self._buffers[0][indices], self._buffers[1][indices])
        self._show()

    def _show(self) -> tuple[Tensor, Tensor]:
        shown = (self._buffers[0][:, :, : self._length], self._buffers[1][:, :, : self._length])
        self.keys, self.values = shown
        return shown


def _grown(buffer: Tensor, used: int, needed: int) -> Tensor:
    """The buffer (B, heads, room, head size), or a larger copy where ``needed`` tokens do not fit."""
    if buffer.shape[2] >= needed:
        return buffer
    larger = buffer.new_empty((buffer.shape[0], buffer.shape[1], needed + _ROOM, buffer.shape[3]))
    larger[:, :, :used] = buffer[:, :, :used]
    return larger
