"""What an adapter changes is measured; one that changes nothing, or gives no numbers, is an error by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stic_trainer.errors import StageError
from stic_trainer.modeling.canary import adapter_effect, rows_of
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import TinyLora, add_random_adapter, paint, tiny_policy
from stic_trainer.modeling.vision import ImageFile


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_the_effect_is_the_mean_change_of_a_token(models: Path, tmp_path: Path) -> None:
    policy = tiny_policy(models)
    add_random_adapter(policy)
    tokens = policy.chat.conversation([Message("user", "What?"), Message("assistant", "")], 0)
    row = plain_row(tokens, None)
    assert len(row.responses[0][1]) == 1, "the end of the turn alone: a sum is a mean"
    batch = join_rows([row], device=policy.device)
    with torch.no_grad(), policy.adapters.using(None):
        before = score(policy, batch)
    with torch.no_grad():
        after = score(policy, batch)
    assert adapter_effect(policy, [row], name="it") == pytest.approx(float((after - before).abs()), rel=1e-9)


def test_an_adapter_of_zeros_is_refused_by_name(models: Path, tmp_path: Path) -> None:
    policy = tiny_policy(models)
    policy.adapters.add(TinyLora(), seed=1)  # its second half is zero
    with pytest.raises(StageError) as caught:
        adapter_effect(policy, rows_of(policy, [("What?", paint(tmp_path))]), name="stage1 abc")
    assert (caught.value.code, caught.value.subject) == ("ADAPTER_INEFFECTIVE", "stage1 abc")
    assert "on 1 row " in caught.value.message and "learning rate" in caught.value.hint


def test_an_adapter_of_one_small_number_is_enough(models: Path) -> None:
    policy = tiny_policy(models, dtype=torch.float32)
    policy.adapters.add(TinyLora(), seed=1)
    second = [parameter for name, parameter in policy.adapters.trainable().items() if "lora_B" in name]
    with torch.no_grad():
        second[-1][0, 0] = 1e-4
    assert adapter_effect(policy, rows_of(policy, [("What?", None)]), name="it") > 0


def test_small_weights_show_in_half_precision(models: Path) -> None:
    """As after a few steps at the paper's learning rate: most of it is rounded away, not all."""
    policy = tiny_policy(models, dtype=torch.bfloat16)
    add_random_adapter(policy)
    with torch.no_grad():
        for name, parameter in policy.adapters.trainable().items():
            if "lora_B" in name:
                parameter.mul_(1e-3)
    assert adapter_effect(policy, rows_of(policy, [("What?", None)]), name="it") >= 0


def test_numbers_that_are_not_finite_are_said(models: Path) -> None:
    policy = tiny_policy(models)
    add_random_adapter(policy)
    with torch.no_grad():
        next(iter(policy.adapters.trainable().values())).fill_(torch.nan)
    with pytest.raises(StageError, match="the adapter it gives numbers that are not finite") as caught:
        adapter_effect(policy, [], name="it")
    assert caught.value.code == "MODEL_INVALID"


def test_unusable_rows_are_passed_over_and_text_takes_their_place(models: Path, tmp_path: Path) -> None:
    policy = tiny_policy(models, "llava-llama")
    add_random_adapter(policy)
    (tmp_path / "broken.png").write_bytes(b"no image")
    broken = ImageFile("0" * 64, tmp_path / "broken.png", (40, 40))
    questions = [("What?", broken), ("an <image> in the text", None)]
    usable: list[Row] = list(rows_of(policy, questions))
    assert len(usable) == 1, "the size is known, so the image's fault shows only when it is encoded"
    assert adapter_effect(policy, usable, name="it") > 0
    assert adapter_effect(policy, [], name="it") == adapter_effect(policy, usable, name="it")


def test_no_more_rows_than_needed_are_read(models: Path) -> None:
    policy: Policy = tiny_policy(models)
    add_random_adapter(policy)
    questions = ((f"Question {number}?", None) for number in range(100))
    adapter_effect(policy, rows_of(policy, questions), name="it")
    assert next(questions)[0] == "Question 3?"
