"""Numbers that overflow are named as such, not told as an empty text or as a loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from stic_trainer.errors import StageError
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.generation import Request, generate
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import add_random_adapter, paint, tiny_policy
from stic_trainer.modeling.vision import ImageFile


@dataclass(frozen=True)
class _Sampling:
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 4
    share_image_cache: bool = True


def _generate(policy: Policy, image: ImageFile) -> None:
    list(generate(policy, [Request("a", "Hm", None), Request("b", "Hm", image)], _Sampling(), max_batch_tokens=4_096))


def _score(policy: Policy, image: ImageFile) -> None:
    turns = [Message("user", "Hm", image=True), Message("assistant", "No.")]
    row = plain_row(policy.chat.conversation(turns, policy.vision.num_tokens(image)), image)
    score(policy, join_rows([row], device=policy.device, sliding_window=policy.sliding_window))


@pytest.mark.parametrize("use", [_generate, _score])
@pytest.mark.parametrize("adapter", [False, True])
def test_logits_that_overflow_are_named_with_the_image(tmp_path: Path, use: object, adapter: bool) -> None:
    policy = tiny_policy(tmp_path / "model", dtype=torch.float32)
    image = paint(tmp_path)
    if adapter:
        add_random_adapter(policy)
    # Finite weights of a projector whose features alone overflow: only what has an image is affected.
    with torch.no_grad():
        policy.base.model.multi_modal_projector.linear_2.weight.fill_(1e38)
    with pytest.raises(StageError) as refused:
        use(policy, image)  # type: ignore[operator]
    assert refused.value.code == ("DIVERGED" if adapter else "MODEL_INVALID")
    assert refused.value.message.endswith(f"not finite for image {image.sha256}")
    assert "float32" in refused.value.hint
