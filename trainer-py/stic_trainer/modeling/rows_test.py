"""A shared row scores what rows of their own score: on the real classes, in fp64, against the library's own forward pass."""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, branch, join_rows, plain_row, separate, split_by_tokens
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import (
    SLIDING_WINDOW,
    TINY_MODELS,
    TinyLora,
    add_random_adapter,
    keep_norms_in_full_precision,
    paint,
    tiny_policy,
)

PAIRS = (
    ("What is in this picture?", "A small red kite over a field.", "Two dogs, and a cat that sleeps on a mat near the door."),
    ("Describe it.", "A bridge across a river, seen from a boat, late in the day.", "Snow."),
    ("Who?", "Nobody.", "Somebody!"),
)
SIZES = ((40, 40), (70, 30), (120, 30))
"""(width, height) in px of the pairs' images: three numbers of image tokens for any-resolution models."""


@pytest.fixture(scope="module", params=sorted(TINY_MODELS))
def policy(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    torch.set_num_threads(1)
    made = _open(tmp_path_factory.mktemp("model"), request.param)
    add_random_adapter(made)
    return made


def _open(folder: Path, name: str = "") -> Policy:
    made = tiny_policy(folder, name)
    keep_norms_in_full_precision(made)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


def _messages(question: str, answer: str) -> list[Message]:
    return [Message("user", question, image=True), Message("assistant", answer)]


def _folder(policy: Policy) -> Path:
    return Path(policy.base.config._name_or_path)


def _rows(policy: Policy, folder: Path) -> list[Row]:
    rows = []
    for key, ((question, chosen, rejected), size) in enumerate(zip(PAIRS, SIZES, strict=True)):
        image = paint(folder, size, seed=key)
        count = policy.vision.num_tokens(image)
        sides = [policy.chat.conversation(_messages(question, answer), count) for answer in (chosen, rejected)]
        rows.append(branch(sides[0], sides[1], image, key=key))
    return rows


def _library_score(policy: Policy, folder: Path, key: int, answer: str) -> Tensor:
    """The sum of the answer's log-probabilities, by processor and model of the library alone: one row, no padding."""
    image = paint(folder, SIZES[key], seed=key)
    content = [{"type": "image"}, {"type": "text", "text": PAIRS[key][0]}]
    chat = [{"role": "user", "content": content}, {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
    render = functools.partial(policy.processor.apply_chat_template, tokenize=False)
    inputs = policy.processor(images=[Image.open(image.path)], text=[render(chat)], add_special_tokens=False, return_tensors="pt")
    inputs["pixel_values"] = inputs["pixel_values"].to(policy.dtype)
    logps = policy.base(**inputs).logits[0, :-1].log_softmax(dim=-1)
    targets = inputs["input_ids"][0, 1:]
    # One token per character, and the end token.
    total: Tensor = logps.gather(1, targets[:, None])[-len(answer) - 1 :].sum()
    return total


def _scores(policy: Policy, rows: list[Row], **layout: bool) -> Tensor:
    return score(policy, join_rows(rows, device=policy.device, sliding_window=policy.sliding_window, **layout))


def _gradients(policy: Policy, scores: Tensor) -> dict[str, Tensor]:
    weights = torch.linspace(-1, 1, len(scores), dtype=scores.dtype)
    parameters = policy.adapters.trainable()
    found = torch.autograd.grad((scores * weights).sum(), list(parameters.values()))
    return dict(zip(parameters, found, strict=True))


def _assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-9, atol=1e-9)


def test_a_shared_row_scores_what_the_library_scores_row_by_row(policy: Policy, folder: Path) -> None:
    expected = torch.stack([_library_score(policy, folder, key, answer) for key, pair in enumerate(PAIRS) for answer in pair[1:]])
    found = _scores(policy, _rows(policy, folder))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)
    _assert_same(_gradients(policy, found), _gradients(policy, expected))


def test_padded_rows_score_the_same_as_a_shared_one(policy: Policy, folder: Path) -> None:
    rows = _rows(policy, folder)
    shared, padded = _scores(policy, rows), _scores(policy, rows, share_prefix=False)
    torch.testing.assert_close(padded, shared, rtol=0, atol=1e-9)
    _assert_same(_gradients(policy, padded), _gradients(policy, shared))


def test_the_base_is_scored_exactly_with_the_adapter_off(policy: Policy, folder: Path, tmp_path: Path) -> None:
    rows = _rows(policy, folder)
    bare = _open(_folder(policy))
    with torch.no_grad():
        expected = _scores(bare, rows)
        with policy.adapters.using(None):
            assert torch.equal(_scores(policy, rows), expected)
        assert not torch.allclose(_scores(policy, rows), expected)


def test_the_head_on_responses_alone_gives_what_all_logits_give(policy: Policy, folder: Path) -> None:
    batch = join_rows(_rows(policy, folder), device=policy.device, sliding_window=policy.sliding_window)
    some, every = score(policy, batch), score(policy, batch, response_only_head=False)
    torch.testing.assert_close(every, some, rtol=0, atol=1e-9)
    _assert_same(_gradients(policy, every), _gradients(policy, some))


def test_any_split_into_micro_batches_has_the_same_gradient(policy: Policy, folder: Path) -> None:
    rows = _rows(policy, folder)
    weights = torch.linspace(-1, 1, 2 * len(rows), dtype=policy.dtype).view(-1, 2)
    parameters = list(policy.adapters.trainable().values())

    def gradient(groups: list[list[Row]]) -> list[Tensor]:
        total = [torch.zeros_like(parameter) for parameter in parameters]
        for group in groups:
            share = (_scores(policy, group) * torch.cat([weights[row.key] for row in group])).sum()
            total = [a + b for a, b in zip(total, torch.autograd.grad(share, parameters), strict=True)]
        return total

    whole = gradient([rows])
    for groups in ([[row] for row in rows], [rows[:2], rows[2:]], [rows[2:], rows[:2]]):
        for found, expected in zip(gradient(groups), whole, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_the_sliding_window_is_shorter_than_the_rows_it_is_tested_with(policy: Policy, folder: Path) -> None:
    rows = _rows(policy, folder)
    if policy.sliding_window is None:
        assert type(policy.language_model).__name__ == "LlamaModel"
        return
    assert policy.sliding_window == SLIDING_WINDOW < min(row.max_position for row in rows)
    batch = join_rows(rows, device=policy.device, sliding_window=None)
    assert not torch.allclose(score(policy, batch), _scores(policy, rows)), "the window changes nothing, so nothing was tested"


def test_recomputed_activations_give_the_same_gradient(policy: Policy, folder: Path) -> None:
    fresh = _open(_folder(policy))
    add_random_adapter(fresh, TinyLora(dropout=0.3))
    fresh.adapters.set_dropout(True)
    rows = _rows(fresh, folder)

    def seeded() -> tuple[Tensor, dict[str, Tensor]]:
        torch.manual_seed(3)
        scores = _scores(fresh, rows)
        return scores.detach(), _gradients(fresh, scores)

    kept, kept_gradient = seeded()
    fresh.recompute_activations()
    assert all(layer.training for layer in fresh.language_model.layers)
    again, gradient = seeded()
    assert torch.equal(again, kept)
    _assert_same(gradient, kept_gradient)


def test_features_seen_again_are_those_seen_first(policy: Policy, folder: Path) -> None:
    rows = _rows(policy, folder)
    kept = _scores(policy, rows)
    policy.vision.reuse = False
    try:
        assert torch.equal(_scores(_open(_folder(policy)), rows), _scores_of_base(policy, rows))
        assert torch.equal(_scores(policy, rows), kept)
    finally:
        policy.vision.reuse = True


def _scores_of_base(policy: Policy, rows: list[Row]) -> Tensor:
    with policy.adapters.using(None):
        return _scores(policy, rows)


def _tokens(policy: Policy, answer: str) -> Any:
    return policy.chat.conversation([Message("user", "Q"), Message("assistant", answer)], 0)


def test_sides_with_different_prompts_make_no_row(policy: Policy) -> None:
    other = policy.chat.conversation([Message("user", "R"), Message("assistant", "b")], 0)
    with pytest.raises(ValueError, match="same prompt"):
        branch(_tokens(policy, "a"), other, None)


def test_a_row_states_its_lengths(policy: Policy) -> None:
    row = branch(_tokens(policy, "yes"), _tokens(policy, "perhaps"), None)
    prompt = len(policy.chat.prompt([Message("user", "Q")], 0))
    assert len(row) == prompt + 4 + 8
    assert row.max_position == prompt + 8
    assert [len(line) for line in separate(row)] == [prompt + 4, prompt + 8]


def test_groups_stay_within_the_bound_and_in_order(policy: Policy) -> None:
    rows = [branch(_tokens(policy, "a" * n), _tokens(policy, "b" * (n + 1)), None, key=n) for n in (3, 5, 9, 1, 40, 2)]
    for share_prefix in (True, False):
        groups = split_by_tokens(rows, 80, share_prefix=share_prefix)
        assert [row for group in groups for row in group] == rows
        for group in groups:
            batch = join_rows(group, device=policy.device, share_prefix=share_prefix)
            assert batch.input_ids.numel() <= 80 or len(group) == 1
        assert 2 <= len(groups) < len(rows)


def test_a_conversation_learns_every_assistant_turn_and_nothing_else(policy: Policy) -> None:
    messages = [Message("user", "Q1"), Message("assistant", "A1"), Message("user", "Q2"), Message("assistant", "A2")]
    row = plain_row(policy.chat.conversation(messages, 0), None)
    ((sources, targets),) = row.responses
    assert policy.processor.tokenizer.decode(targets) == "A1</s>A2</s>"
    assert all(row.ids[source + 1] == target for source, target in zip(sources, targets, strict=True))
    with pytest.raises(ValueError, match="no assistant"):
        plain_row(policy.chat.conversation(messages[:1], 0), None)
