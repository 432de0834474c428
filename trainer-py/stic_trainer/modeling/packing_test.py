"""Packed rows give the losses and the adapter's gradients of rows of their own, to 1e-9 in fp64."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stic_trainer.method.sft import sft_loss
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.packing import join_packs, pack, packed_groups
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import SLIDING_WINDOW, add_random_adapter, paint, tiny_policy
from stic_trainer.modeling.vision import ImageFile

_ANSWERS = ("A red kite.", "Two boats", "Nothing at all is to be seen here, nothing.", "No.", "It rains on the square again and again")


def _rows(policy: Policy, folder: Path) -> list[Row]:
    """Five rows of different lengths; the second and the last have no image."""
    images: list[ImageFile | None] = [paint(folder, (30 + 17 * seed, 40), seed=seed) for seed in range(5)]
    images[1] = images[4] = None
    rows = []
    for key, (image, answer) in enumerate(zip(images, _ANSWERS, strict=True)):
        messages = [Message("user", "What is it?", image=image is not None), Message("assistant", answer)]
        messages += [Message("user", "Sure?"), Message("assistant", answer[::-1])] if key % 2 else []
        rows.append(plain_row(policy.chat.conversation(messages, policy.vision.num_tokens(image) if image else 0), image, key=key))
    return rows


def _losses(policy: Policy, packs: Sequence[Sequence[Row]]) -> tuple[dict[int, float], dict[str, Tensor]]:
    """Loss by row, and the gradient of their sum by parameter."""
    batch = join_packs(packs, device=policy.device, sliding_window=policy.sliding_window)
    losses = sft_loss(score(policy, batch), batch.lengths)
    gradients = torch.autograd.grad(losses.sum(), list(policy.adapters.trainable().values()))
    keys = [row.key for rows in packs for row in rows]
    return dict(zip(keys, losses.tolist(), strict=True)), dict(zip(policy.adapters.trainable(), gradients, strict=True))


@pytest.mark.parametrize("name", ["llava-llama", "llava-next-llama", "llava-next-mistral"])
def test_packed_rows_give_the_same_losses_and_gradients(name: str, tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / name, name)
    add_random_adapter(policy)
    rows = _rows(policy, tmp_path / "images")
    packs = [[rows[2], rows[1], rows[0]], [rows[4], rows[3]]]

    alone, alone_gradients = _losses(policy, [[row] for row in rows])
    packed, packed_gradients = _losses(policy, packs)

    assert packed == pytest.approx(alone, abs=1e-9)
    for parameter, gradient in alone_gradients.items():
        torch.testing.assert_close(packed_gradients[parameter], gradient, rtol=0, atol=1e-9)
    assert any(gradient.abs().max() > 1e-3 for gradient in alone_gradients.values())


def test_the_sliding_window_is_shorter_than_the_packed_rows(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / "model", "llava-next-mistral")
    assert policy.sliding_window == SLIDING_WINDOW < min(len(row) for row in _rows(policy, tmp_path / "images") if row.image)


def test_a_row_does_not_see_what_shares_its_sequence(tmp_path: Path) -> None:
    policy = tiny_policy(tmp_path / "model")
    rows = _rows(policy, tmp_path / "images")
    with torch.no_grad():
        one = score(policy, join_packs([[rows[0], rows[1]]], device=policy.device))
        other = score(policy, join_packs([[rows[2], rows[1]]], device=policy.device))
    assert one[1].item() == pytest.approx(other[1].item(), abs=1e-9)
    assert one[0].item() != pytest.approx(other[0].item(), abs=1e-3)


def _row(length: int, key: int) -> Row:
    return Row([7] * length, list(range(length)), [0] * length, (([0], [7]),), None, key)


def test_packs_hold_every_row_once_and_none_is_longer_than_the_longest_row() -> None:
    rows = [_row(length, key) for key, length in enumerate([30, 100, 70, 20, 10, 60, 40])]
    packs = pack(rows)
    assert [[row.key for row in rows] for rows in packs] == [[1], [2, 0], [5, 6], [3, 4]]
    assert all(sum(map(len, rows)) <= 100 for rows in packs)


def test_groups_stay_within_the_bound_and_a_long_row_is_a_group_of_its_own() -> None:
    rows = [_row(length, key) for key, length in enumerate([30, 100, 70, 20, 10, 60, 40])]
    assert [len(group) for group in packed_groups(rows, 250)] == [2, 2]
    assert [len(group) for group in packed_groups(rows, 50)] == [1, 1, 1, 1]
