"""Whether a merged folder is the adapter's model: both are loaded from disk, one after the other, and give logits of the same rows.

All is computed in fp32 on the CPU, so at most one model is held, 4 bytes a weight. Two questions are kept apart. Is the folder what
merging ought to give, rounded as its weights are? There the tolerance is ``TOLERANCE``. And is what rounding the merged weights costs
small beside what the adapter changes? With fp32 weights the tolerance is the same; with half ones ``ROUNDING_SHARE``.
"""

from __future__ import annotations

import gc
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stic_trainer.errors import StageError
from stic_trainer.modeling.canary import Question, adapter_effect, rows_of
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, join_rows
from stic_trainer.modeling.scoring import hidden_states
from stic_trainer.modeling.vision import ImageFile

TOLERANCE = 1e-4
"""Of a logit, fp32: absolute up to logits of 1, relative to the largest above."""
ROUNDING_SHARE = 0.5
"""What rounding to a half type may change, of what the adapter changes; root mean squares of logits."""

_SIZES = ((336, 224), (224, 336))  # px
_PROMPTS = ("Describe the image.", "What is in the picture?", "What is a table?")


@dataclass(frozen=True)
class Verified:
    """Measured differences of logits."""

    largest: float
    """Between the folder and the adapter's model, max |difference|."""
    rounding: float
    """The same, root mean square."""
    effect: float
    """Between the adapter's model and the base, root mean square."""
    effect_nats: float
    """Between the adapter's model and the base, mean |difference| of a token's log-probability."""
    dtype: str


def verify_merged(base: Path, adapter: Path, merged: Path, scratch: Path, *, stored: torch.dtype, all_weights: bool) -> Verified:
    """StageError ADAPTER_INEFFECTIVE where the adapter changes nothing, EXPORT_MISMATCH where the folder is not the adapter's model.

    stored: type of the merged weights; all_weights: whether the others were rounded to it too. scratch: for the pictures shown.
    """
    questions = list(zip(_PROMPTS, (*_paint(scratch), None), strict=True))
    adapted, bare, rounded, effect_nats, template_hash = _expected(base, adapter, questions, stored=stored, all_weights=all_weights)
    gc.collect()  # before the second model is loaded
    policy = load_policy(merged, device="cpu", dtype=torch.float32)
    if policy.chat.template_hash != template_hash:
        raise _mismatch("the merged folder has another chat template than the base", merged)
    logits = _logits(policy, questions)
    if not bool(logits.isfinite().all()):
        raise _mismatch(f"the merged model gives numbers that are not finite: its weights overflow in {_name(stored)}", merged)
    limit = TOLERANCE * max(1.0, float(adapted.abs().max()))
    apart = float((logits - rounded).abs().max())
    if apart > limit:
        raise _mismatch(
            f"the merged folder's logits differ by {apart:.2g} from those of the merged weights; {limit:.2g} is allowed", merged
        )
    found = Verified(float((logits - adapted).abs().max()), _rms(logits - adapted), _rms(adapted - bare), effect_nats, _name(stored))
    if found.largest > limit and (stored.itemsize > 2 or found.rounding > ROUNDING_SHARE * found.effect):
        raise _mismatch(
            f"stored in {found.dtype} the merged weights lose the adapter: rounding changes logits by {found.rounding:.2g} and the "
            f"adapter by {found.effect:.2g} (root mean squares)",
            merged,
        )
    return found


def _expected(
    base: Path, adapter: Path, questions: list[Question], *, stored: torch.dtype, all_weights: bool
) -> tuple[Tensor, Tensor, Tensor, float, str]:
    """Logits with the adapter, without it, and of PEFT's own merge rounded as the folder is; the adapter's effect; the template's hash."""
    policy = load_policy(base, device="cpu", dtype=torch.float32)
    policy.vision.reuse = False  # the vision tower is rounded too where all weights are
    policy.adapters.load(adapter)
    effect = adapter_effect(policy, rows_of(policy, questions), name=adapter.name)
    adapted = _logits(policy, questions)
    with policy.adapters.using(None):
        bare = _logits(policy, questions)
    policy.adapters.merge(stored, all_weights=all_weights)
    return adapted, bare, _logits(policy, questions), effect, policy.chat.template_hash


@torch.no_grad()
def _logits(policy: Policy, questions: list[Question]) -> Tensor:
    """(answer tokens of all questions, vocabulary) fp32."""
    return torch.cat([_row_logits(policy, row) for row in rows_of(policy, questions)])


def _row_logits(policy: Policy, row: Row) -> Tensor:
    batch = join_rows([row], device=policy.device, sliding_window=policy.sliding_window)
    return policy.head(hidden_states(policy, batch).flatten(0, 1)[batch.predict_from])


def _paint(folder: Path) -> list[ImageFile]:
    """Two pictures of colour gradients: what is compared must depend on the image."""
    images: list[ImageFile] = []
    for size in _SIZES:
        gradients = [Image.linear_gradient("L").rotate(angle).resize(size) for angle in (0, 90, 180)]
        path = folder / f"{size[0]}x{size[1]}.png"
        Image.merge("RGB", gradients).save(path)
        images.append(ImageFile(hashlib.sha256(path.read_bytes()).hexdigest(), path, size))
    return images


def _rms(difference: Tensor) -> float:
    return float(difference.double().square().mean().sqrt())


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _mismatch(message: str, folder: Path) -> StageError:
    return StageError("EXPORT_MISMATCH", message, str(folder), "export with dtype float32, or use the adapter beside its base model")
