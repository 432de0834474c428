"""Packed rows: short rows share a sequence instead of being padded.

Positions restart with every row and a token sees its own row only, so every score equals that of a row of its own. A pack is
never longer than the longest row: attention, too, then costs no more than in the padded layout.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from stic_trainer.modeling.rows import Batch, Row, join_rows


def pack(rows: Sequence[Row]) -> list[list[Row]]:
    """First fit, longest first: packs of rows without branches, each at most as long as the longest row."""
    ordered = sorted(rows, key=len, reverse=True)
    packs: list[list[Row]] = []
    free: list[int] = []
    for row in ordered:
        place = next((at for at, room in enumerate(free) if len(row) <= room), None)
        if place is None:
            packs.append([row])
            free.append(len(ordered[0]) - len(row))
        else:
            packs[place].append(row)
            free[place] -= len(row)
    return packs


def packed_groups(rows: Sequence[Row], max_tokens: int) -> list[list[list[Row]]]:
    """Packs in groups whose padded size stays within ``max_tokens``; a pack above it is a group of its own."""
    packs = pack(rows)
    size = max(1, max_tokens // max(len(row) for row in rows))
    return [packs[start : start + size] for start in range(0, len(packs), size)]


def join_packs(
    packs: Sequence[Sequence[Row]], *, device: torch.device, sliding_window: int | None = None, by_blocks: bool = False
) -> Batch:
    """One sequence per pack. Responses come in the order of the packs and, within a pack, of its rows."""
    batch = join_rows([_concatenated(rows) for rows in packs], device=device, sliding_window=sliding_window, by_blocks=by_blocks)
    images = tuple(row.image for rows in packs for row in rows if row.image is not None)
    return dataclasses.replace(batch, images=images)


def _concatenated(rows: Sequence[Row]) -> Row:
    """The rows as the segments 1, 2, ... of one row; without the prefix's segment nothing is seen by all."""
    ids: list[int] = []
    positions: list[int] = []
    segments: list[int] = []
    responses: list[tuple[Sequence[int], Sequence[int]]] = []
    for segment, row in enumerate(rows, start=1):
        responses += [([len(ids) + source for source in sources], targets) for sources, targets in row.responses]
        ids += row.ids
        positions += row.positions
        segments += [segment] * len(row)
    return Row(ids, positions, segments, tuple(responses), None, rows[0].key)
