"""Rows for scoring: a pair's prompt and image are stored once and both responses branch off from them.

A row is [prefix | chosen | rejected], right-padded. Positions restart after the prefix for every branch, and a token sees the
prefix and its own branch only, so every score equals that of a row of its own. A plain row is one without branches. Where a
model does not allow this, or a run switches it off, each branch becomes a padded line of its own and nothing else changes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stic_trainer.modeling import blocks
from stic_trainer.modeling.blocks import Block
from stic_trainer.modeling.chat import Tokens
from stic_trainer.modeling.vision import ImageFile

_PREFIX, _PADDING = 0, -1


@dataclass(frozen=True)
class Row:
    """One row before padding, all sequences (tokens,) long."""

    ids: Sequence[int]
    positions: Sequence[int]
    segments: Sequence[int]
    """0 for the prefix, then 1, 2, ... for the branches."""
    responses: tuple[tuple[Sequence[int], Sequence[int]], ...]
    """Per response: where each of its tokens is predicted from, and the tokens."""
    image: ImageFile | None
    key: int
    """The caller's number of the row."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def max_position(self) -> int:
        """Positions of the model that the row needs."""
        return max(self.positions) + 1


@dataclass(frozen=True)
class Batch:
    """rows B, tokens S, responses R (each row's in order), longest response T."""

    input_ids: Tensor  # (B, S)
    positions: Tensor  # (B, S)
    mask: Tensor  # (B, 1, S, S) bool, True = may attend; (1, 1, 1, 1) where blocks say it
    predict_from: Tensor  # (N,) indices into B*S, N = all response tokens
    targets: Tensor  # (N,)
    places: Tensor  # (N,) indices into R*T
    lengths: Tensor  # (R,) tokens per response
    images: tuple[ImageFile, ...]
    """One per row that has an image, in row order."""
    blocks: tuple[tuple[Block, ...], ...] | None
    """Per row: what sees what, instead of a mask."""


def branch(chosen: Tokens, rejected: Tokens, image: ImageFile | None, *, key: int = 0) -> Row:
    """A pair's row. The two conversations differ only in their last answer; ValueError where their prompts differ."""
    start = chosen.learned.index(True)
    prefix = chosen.ids[:start]
    if rejected.learned.index(True) != start or rejected.ids[:start] != prefix:
        raise ValueError("the two sides of the pair do not have the same prompt")
    ids, positions, segments = list(prefix), list(range(start)), [_PREFIX] * start
    responses = []
    for segment, side in enumerate((chosen, rejected), start=1):
        tokens = side.ids[start:]
        at = len(ids)
        # The first token of every branch is predicted from the prefix's last one.
        responses.append((_small([start - 1, *range(at, at + len(tokens) - 1)]), _small(tokens)))
        ids += tokens
        positions += range(start, start + len(tokens))
        segments += [segment] * len(tokens)
    return Row(_small(ids), _small(positions), _small(segments), tuple(responses), image, key)


def plain_row(tokens: Tokens, image: ImageFile | None, *, key: int = 0) -> Row:
    """A conversation whose learned tokens are the one response. ValueError when nothing is to be learned."""
    places = [index for index, learned in enumerate(tokens.learned) if learned and index > 0]
    if not places:
        raise ValueError("the conversation has no assistant's turn")
    response = (_small([index - 1 for index in places]), _small([tokens.ids[index] for index in places]))
    length = len(tokens.ids)
    return Row(_small(tokens.ids), _small(range(length)), _small([_PREFIX] * length), (response,), image, key)


def _small(values: Iterable[int]) -> array[int]:
    """4 bytes a token: a stage keeps the rows of all its pairs, and a list of thousands of image tokens takes 36 a token."""
    return array("i", values)


def separate(row: Row) -> list[Row]:
    """A plain row for each branch, each with the prefix; [row] where nothing branches off."""
    branches = max(row.segments)
    if branches == _PREFIX:
        return [row]
    start = row.segments.count(_PREFIX)
    lines: list[Row] = []
    for segment, (_, targets) in enumerate(row.responses, start=1):
        ids = [*row.ids[:start], *(token for token, own in zip(row.ids, row.segments, strict=True) if own == segment)]
        response = ([start - 1 + index for index in range(len(targets))], targets)
        lines.append(Row(ids, list(range(len(ids))), [_PREFIX] * len(ids), (response,), row.image, row.key))
    return lines


def join_rows(
    rows: Sequence[Row], *, device: torch.device, sliding_window: int | None = None, share_prefix: bool = True, by_blocks: bool = False
) -> Batch:
    """A batch whose responses come in the order of ``rows``, whether their branches share a line or not.

    by_blocks: whether the model can attend by blocks; long rows then have no mask.
    """
    rows = rows if share_prefix else [line for row in rows for line in separate(row)]
    width = max(len(row) for row in rows)
    responses = [response for row in rows for response in row.responses]
    longest = max(len(targets) for _, targets in responses)
    segments = _padded([row.segments for row in rows], width, _PADDING, device)
    positions = _padded([row.positions for row in rows], width, 0, device)
    windowed = sliding_window is not None and any(max(row.positions) >= sliding_window for row in rows)
    by_blocks = by_blocks and width >= blocks.LONG_ROW and not windowed
    predict_from = [at * width + index for at, row in enumerate(rows) for sources, _ in row.responses for index in sources]
    places = [at * longest + index for at, (_, targets) in enumerate(responses) for index in range(len(targets))]
    return Batch(
        input_ids=_padded([row.ids for row in rows], width, 0, device),
        positions=positions,
        mask=torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device) if by_blocks else _mask(segments, positions, sliding_window),
        predict_from=torch.tensor(predict_from, device=device),
        targets=torch.tensor([token for _, targets in responses for token in targets], device=device),
        places=torch.tensor(places, device=device),
        lengths=torch.tensor([len(targets) for _, targets in responses], device=device),
        images=tuple(row.image for row in rows if row.image is not None),
        blocks=tuple(tuple(blocks.blocks_of(row.segments)) for row in rows) if by_blocks else None,
    )


def split_by_tokens(rows: Sequence[Row], max_tokens: int, *, share_prefix: bool = True) -> list[list[Row]]:
    """Consecutive groups whose padded size stays within ``max_tokens``; a row above it is a group of its own."""
    groups: list[list[Row]] = []
    width = count = 0
    for row in rows:
        lines = [len(line) for line in ([row] if share_prefix else separate(row))]
        width, count = max(width, *lines), count + len(lines)
        if groups and width * count <= max_tokens:
            groups[-1].append(row)
        else:
            groups.append([row])
            width, count = max(lines), len(lines)
    return groups


def _mask(segments: Tensor, positions: Tensor, sliding_window: int | None) -> Tensor:
    width = segments.shape[1]
    index = torch.arange(width, device=segments.device)
    query, key = segments[:, :, None], segments[:, None, :]
    seen = (index[None, :, None] >= index[None, None, :]) & ((key == _PREFIX) | (key == query)) & (key != _PADDING)
    if sliding_window is not None:
        # By position, not by place in the row: a branch lies further from its prefix in the row than in the text.
        seen &= positions[:, :, None] - positions[:, None, :] < sliding_window
    # Padding sees itself: a softmax over nothing would be NaN.
    return (seen | (index[:, None] == index[None, :]))[:, None]


def _padded(rows: Sequence[Sequence[int]], width: int, fill: int, device: torch.device) -> Tensor:
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows], device=device)
