"""Logits that are NaN or infinite, named as such: without this a text would just be empty, and a loss not a number."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from stic_trainer.errors import StageError
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.vision import ImageFile


def check_finite_rows(policy: Policy, values: Tensor, images: Sequence[ImageFile | None]) -> None:
    """values (rows,): of each row the largest logit, or its sum of log-probabilities. images: of the rows, or all of the batch.

    StageError MODEL_INVALID for the base model, DIVERGED with an adapter.
    """
    finite = values.isfinite().tolist()
    if all(finite):
        return
    row = finite.index(False)
    image = images[row] if row < len(images) else None
    where = f" for image {image.sha256}" if image else ""
    dtype = str(policy.dtype).removeprefix("torch.")
    if policy.adapters.active is None:
        hint = f"Numbers overflow in {dtype}, or the folder's files are not of one model. Try the folder in transformers with {dtype}."
        raise StageError("MODEL_INVALID", f"the logits of the base model are not finite{where}", str(policy.folder), hint)
    hint = f"The adapter has diverged, or numbers overflow in {dtype}: train with a lower learning rate, or start from an earlier adapter."
    raise StageError("DIVERGED", f"the logits of the model with its adapter are not finite{where}", "optimizer.learning_rate", hint)
