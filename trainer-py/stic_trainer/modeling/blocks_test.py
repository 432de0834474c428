"""Attention by blocks gives the scores and gradients of attention with a mask, to 1e-9 in fp64."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stic_trainer.modeling import blocks
from stic_trainer.modeling.blocks import Block, blocks_of
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.packing import join_packs
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch, Row, branch, join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import add_random_adapter, paint, tiny_policy


def test_a_prefix_and_its_first_branch_are_one_block_and_the_second_branch_sees_the_prefix() -> None:
    assert blocks_of([0, 0, 0, 1, 1, 2]) == [Block(0, 5, 0), Block(5, 6, 3)]


def test_a_plain_row_is_one_block_and_a_pack_has_one_for_each_row() -> None:
    assert blocks_of([0, 0, 0]) == [Block(0, 3, 0)]
    assert blocks_of([1, 1, 2, 3, 3]) == [Block(0, 2, 0), Block(2, 3, 0), Block(3, 5, 0)]


def _rows(policy: Policy, folder: Path) -> tuple[list[Row], list[Row]]:
    """Two pairs, and three plain rows."""
    pairs, rows = [], []
    for key, (good, bad) in enumerate([("A red kite.", "A boat"), ("Two.", "Three of them, or four"), ("Rain", "Sun")]):
        image = paint(folder, (30 + 20 * key, 40), seed=key)
        question = Message("user", "What is it?" * (key + 1), image=True)
        count = policy.vision.num_tokens(image)
        sides = [policy.chat.conversation([question, Message("assistant", text)], count) for text in (good, bad)]
        pairs.append(branch(sides[0], sides[1], image, key=key))
        rows.append(plain_row(sides[0], image, key=key))
    return pairs[:2], rows


def _scored(policy: Policy, batch: Batch) -> tuple[Tensor, Sequence[Tensor]]:
    scores = score(policy, batch)
    return scores.detach(), torch.autograd.grad(
        (scores * torch.arange(1, len(scores) + 1)).sum(), list(policy.adapters.trainable().values())
    )


@pytest.mark.parametrize("name", ["llava-llama", "llava-next-llama"])
def test_blocks_change_neither_scores_nor_gradients(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LONG_ROW", 1)
    policy = tiny_policy(tmp_path / "model", name)
    assert policy.by_blocks
    add_random_adapter(policy)
    pairs, rows = _rows(policy, tmp_path / "images")
    for masked, by_blocks in (
        (join_rows(pairs, device=policy.device), join_rows(pairs, device=policy.device, by_blocks=True)),
        (join_packs([rows[:2], rows[2:]], device=policy.device), join_packs([rows[:2], rows[2:]], device=policy.device, by_blocks=True)),
    ):
        assert masked.blocks is None and by_blocks.blocks is not None and by_blocks.mask.numel() == 1
        scores, gradients = _scored(policy, masked)
        ours, our_gradients = _scored(policy, by_blocks)
        torch.testing.assert_close(ours, scores, rtol=0, atol=1e-9)
        for mine, theirs in zip(our_gradients, gradients, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)


def test_a_sliding_window_that_is_felt_and_short_rows_keep_the_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tiny_policy(tmp_path / "model", "llava-next-mistral")
    pairs, _ = _rows(policy, tmp_path / "images")
    assert join_rows(pairs, device=policy.device, by_blocks=True).blocks is None
    monkeypatch.setattr(blocks, "LONG_ROW", 1)
    assert join_rows(pairs, device=policy.device, sliding_window=policy.sliding_window, by_blocks=True).blocks is None
    assert join_rows(pairs, device=policy.device, sliding_window=1000, by_blocks=True).blocks is not None
