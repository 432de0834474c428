"""What each family's record claims, on a tiny random model of it in fp64: every way to lay rows out gives the library's numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stic_trainer.data.images import open_rgb
from stic_trainer.modeling.chat import Message, Tokens
from stic_trainer.modeling.families import Positions, families, find_family
from stic_trainer.modeling.image_text import process_image
from stic_trainer.modeling.inputs import ImageFeatures, grid_positions
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch, Row, branch, join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import add_random_adapter, paint
from stic_trainer.modeling.testing_families import ALL_MODELS, family_policy
from stic_trainer.modeling.vision import ImageFile

_PROMPT = "What is in it, and where?"
_CHOSEN = "A red box, top left; below it a long blue line that ends at a ball."
_REJECTED = "Nothing, or a kite."
_SIZES = ((90, 30), (40, 40), (30, 90))
_LIMIT = 1e-9


@pytest.fixture(scope="module", params=list(ALL_MODELS))
def policy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    torch.set_num_threads(1)
    loaded = family_policy(tmp_path_factory.mktemp(request.param), request.param)
    assert loaded.family.architecture == ALL_MODELS[request.param]
    add_random_adapter(loaded)
    return loaded


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[ImageFile]:
    return [paint(tmp_path_factory.mktemp("pictures"), size, seed=index) for index, size in enumerate(_SIZES)]


def test_every_family_has_its_tiny_model() -> None:
    assert set(ALL_MODELS.values()) == {family.architecture for family in families()}


def test_a_conversation_has_the_library_s_tokens(policy: Policy, images: list[ImageFile]) -> None:
    for image in images:
        wanted, start = _library_inputs(policy, image, _CHOSEN)
        tokens = _tokens(policy, image, _CHOSEN)
        assert tokens.ids == wanted["input_ids"][0].tolist()
        assert tokens.learned.index(True) == start


def test_an_image_is_processed_as_the_library_s_processor_does_it(policy: Policy, images: list[ImageFile]) -> None:
    for image in images:
        wanted, _ = _library_inputs(policy, image, _CHOSEN)
        inputs = process_image(policy.processor, open_rgb(image.path))
        for name in policy.family.image_inputs:
            assert torch.equal(inputs[name].to(wanted[name]), wanted[name])


def test_plain_rows_score_as_the_library_does(policy: Policy, images: list[ImageFile]) -> None:
    rows = [plain_row(_tokens(policy, image, _CHOSEN), image) for image in images]
    wanted = torch.stack([_library_logp(policy, image, _CHOSEN) for image in images])
    assert (_scores(policy, _batch(policy, rows)) - wanted).abs().max() < _LIMIT


def test_a_shared_prefix_is_exact_where_the_record_says_so(policy: Policy, images: list[ImageFile]) -> None:
    assert policy.family.shares_prefix
    sides = [(_tokens(policy, image, _CHOSEN), _tokens(policy, image, _REJECTED), image) for image in images]
    shared = [branch(chosen, rejected, image) for chosen, rejected, image in sides]
    alone = [plain_row(side, image) for chosen, rejected, image in sides for side in (chosen, rejected)]
    assert (_scores(policy, _batch(policy, shared)) - _scores(policy, _batch(policy, alone))).abs().max() < _LIMIT
    for mine, theirs in zip(_gradients(policy, shared), _gradients(policy, alone), strict=True):
        # The library's norms compute in fp32 whatever the model's type is, and gradients add up there in another order.
        assert (mine - theirs).abs().max() < 1e-6 * theirs.abs().max()


def test_a_shared_prefix_gives_the_library_s_numbers(policy: Policy, images: list[ImageFile]) -> None:
    for image in images:
        row = branch(_tokens(policy, image, _CHOSEN), _tokens(policy, image, _REJECTED), image)
        wanted = torch.stack([_library_logp(policy, image, text) for text in (_CHOSEN, _REJECTED)])
        assert (_scores(policy, _batch(policy, [row])) - wanted).abs().max() < _LIMIT


def test_packed_rows_are_exact_where_the_record_says_so(policy: Policy, images: list[ImageFile]) -> None:
    assert policy.family.packs
    rows = [plain_row(_tokens(policy, image, text), image) for image, text in zip(images, (_CHOSEN, _REJECTED, "No."), strict=True)]
    packed = replace(_batch(policy, [_pack(rows)]), images=tuple(images))
    assert (_scores(policy, packed) - _scores(policy, _batch(policy, rows))).abs().max() < _LIMIT


def test_what_is_in_the_picture_shows(policy: Policy, images: list[ImageFile]) -> None:
    """The numbers above could not be equal because the model is blind."""
    features = [policy.vision.encode(image) for image in images]
    row = plain_row(_tokens(policy, images[0], _CHOSEN), images[0])
    seen = _scores(policy, _batch(policy, [row]))
    policy.vision._features[images[0].sha256] = replace(features[0], features=features[0].features.flip(0))
    assert (_scores(policy, _batch(policy, [row])) - seen).abs() > 1e-3
    policy.vision._features[images[0].sha256] = features[0]


def test_a_wrong_layout_shows(policy: Policy, images: list[ImageFile]) -> None:
    """The numbers above could not be equal by chance: a branch that sees the other one, or stands behind it, scores otherwise."""
    row = branch(_tokens(policy, images[0], _CHOSEN), _tokens(policy, images[0], _REJECTED), images[0])
    right = _scores(policy, _batch(policy, [row]))
    seeing = replace(row, segments=[0] * len(row))
    behind = replace(row, positions=list(range(len(row))))
    for wrong in (seeing, behind):
        assert (_scores(policy, _batch(policy, [wrong]))[1] - right[1]).abs() > 1e-3


def test_the_adapter_off_is_the_base(policy: Policy, images: list[ImageFile], tmp_path: Path) -> None:
    batch = _batch(policy, [plain_row(_tokens(policy, images[0], _CHOSEN), images[0])])
    with policy.adapters.using(None):
        off = _scores(policy, batch)
        assert (off - _library_logp(policy, images[0], _CHOSEN)).abs() < _LIMIT
    assert (off - _scores(policy, batch)).abs() > 1e-3


@pytest.mark.parametrize("name", ["qwen2.5-vl", "qwen3-vl"])
def test_grid_positions_are_the_library_s(name: str, images: list[ImageFile], tmp_path: Path) -> None:
    policy = family_policy(tmp_path, name)
    assert policy.family.positions is Positions.GRID
    for image in images:
        inputs, _ = _library_inputs(policy, image, _CHOSEN)
        ids = inputs["input_ids"]
        arguments = {key: inputs[key] for key in ("mm_token_type_ids", "image_grid_thw")}
        wanted, delta = policy.base.model.get_rope_index(ids, **arguments)
        image_features = policy.vision.encode(image)
        mine = grid_positions(torch.arange(ids.shape[1])[None], ids == policy.chat.image_token_id, [image_features], None)
        assert torch.equal(mine, wanted)
        assert image_features.position_offset == int(delta)


def test_grid_positions_of_branches_and_of_conversations_that_follow_each_other() -> None:
    """A row of an image of 2 x 3 tokens behind one word, then two words; then a branch; then a conversation with an image of 2 x 1."""
    wide, tall = (ImageFeatures(torch.zeros(rows * columns, 1), (), (rows, columns)) for rows, columns in ((2, 3), (2, 1)))
    positions = torch.tensor([[*range(9), 7, 8, *range(4)]])
    images = torch.tensor([[*[False], *[True] * 6, *[False] * 4, *[False], *[True] * 2, False]])
    time, row, column = grid_positions(positions, images, [wide, tall], None)[:, 0].tolist()
    assert time == [0, 1, 1, 1, 1, 1, 1, 4, 5, 4, 5, 0, 1, 1, 3]
    assert row == [0, 1, 1, 1, 2, 2, 2, 4, 5, 4, 5, 0, 1, 2, 3]
    assert column == [0, 1, 2, 3, 1, 2, 3, 4, 5, 4, 5, 0, 1, 1, 3]


def test_old_configurations_without_a_text_part_are_known() -> None:
    """Models were published before the language model's settings had a place of their own."""
    assert find_family({"architectures": ["Qwen2_5_VLForConditionalGeneration"]}).positions is Positions.GRID


def _tokens(policy: Policy, image: ImageFile, text: str) -> Tokens:
    return policy.chat.conversation([Message("user", _PROMPT, image=True), Message("assistant", text)], policy.vision.num_tokens(image))


def _batch(policy: Policy, rows: list[Row]) -> Batch:
    return join_rows(rows, device=policy.device, sliding_window=policy.sliding_window)


def _scores(policy: Policy, batch: Batch) -> Tensor:
    with torch.no_grad():
        return score(policy, batch)


def _gradients(policy: Policy, rows: list[Row]) -> list[Tensor]:
    parameters = list(policy.adapters.trainable().values())
    return list(torch.autograd.grad(score(policy, _batch(policy, rows)).sum(), parameters))


def _pack(rows: list[Row]) -> Row:
    """Conversations one behind the other, each of which sees itself only."""
    starts = list(accumulate((len(row) for row in rows), initial=0))
    moved = [
        ([start + index for index in sources], targets)
        for start, row in zip(starts[:-1], rows, strict=True)
        for sources, targets in row.responses
    ]
    segments = [number for number, row in enumerate(rows, start=1) for _ in row.ids]
    ids = [token for row in rows for token in row.ids]
    positions = [position for row in rows for position in row.positions]
    return Row(ids, positions, segments, tuple(moved), None, 0)


def _library_inputs(policy: Policy, image: ImageFile, text: str) -> tuple[dict[str, Any], int]:
    """What transformers' processor makes of the conversation, and how many of its tokens are the prompt's."""
    rows = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _PROMPT}]}]
    prompt = policy.processor.apply_chat_template(rows, tokenize=False, add_generation_prompt=True)
    pixels = Image.open(image.path).convert("RGB")
    start = policy.processor(images=[pixels], text=[prompt], add_special_tokens=False, return_tensors="pt")["input_ids"].shape[1]
    inputs = policy.processor(images=[pixels], text=[f"{prompt}{text}</s>"], add_special_tokens=False, return_tensors="pt")
    return {**inputs, "pixel_values": inputs["pixel_values"].to(policy.dtype)}, start


@torch.no_grad()
def _library_logp(policy: Policy, image: ImageFile, text: str) -> Tensor:
    inputs, start = _library_inputs(policy, image, text)
    logps = policy.base(**inputs).logits[0].log_softmax(dim=-1)
    targets = inputs["input_ids"][0, start:]
    total: Tensor = logps[start - 1 : -1].gather(-1, targets[:, None]).sum()
    return total
