"""What an adapter changes: the same rows through the model with the adapter and without it.

An adapter that changes nothing is indistinguishable from the base model in every later number, so it is an error, not a result.
Hidden states of all positions are compared and not log-probabilities alone: in bf16 the small steps of a low learning rate move
many hidden states by one unit in the last place before they move a given token's log-probability.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from stic_trainer.data.images import ImageProblem
from stic_trainer.errors import StageError
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch, Row, join_rows, plain_row
from stic_trainer.modeling.scoring import hidden_states
from stic_trainer.modeling.vision import ImageFile

MAX_ROWS = 3
_MAX_TOKENS = 64  # logits of a row held at once
_PROMPT = "Describe the image."
_CONTINUATION = "The image shows a person next to a table."

Question = tuple[str, ImageFile | None]
"""A prompt, with the image it is about."""


def adapter_effect(policy: Policy, rows: Iterable[Row], *, name: str) -> float:
    """What the adapter in use changes, mean |difference| of a token's log-probability, nats, over up to ``MAX_ROWS`` usable rows.

    Without a usable row a row of text takes their place. StageError ADAPTER_INEFFECTIVE when every hidden state equals the base
    model's to the last bit, MODEL_INVALID when a number is not finite. name: of the adapter, for the error.
    """
    changes: list[Tensor] = []
    changed = False
    for batch in _batches(policy, rows):
        with policy.adapters.using(None):
            base_hidden, base_logps = _forward(policy, batch, "the base model")
        hidden, logps = _forward(policy, batch, f"the adapter {name}")
        changed = changed or not torch.equal(hidden, base_hidden)
        changes.append((logps - base_logps).abs())
    if not changed:
        raise StageError(
            "ADAPTER_INEFFECTIVE",
            f"the adapter {name} changes nothing: on {len(changes)} row{'s' * (len(changes) > 1)} the model's hidden states "
            "with it and without it are equal to the last bit",
            name,
            "the adapter's weights are zero (trained for no step, or at learning rate 0) or too small for the model's dtype, "
            "or they were made for other layer names; train it again, or start from another checkpoint",
        )
    return float(torch.cat(changes).double().mean())


def rows_of(policy: Policy, questions: Iterable[Question]) -> Iterator[Row]:
    """Rows with one fixed answer; questions that cannot become a row are passed over."""
    for prompt, image in questions:
        try:
            messages = [Message("user", prompt, image=image is not None), Message("assistant", _CONTINUATION)]
            count = policy.vision.num_tokens(image) if image else 0
            row = plain_row(policy.chat.conversation(messages, count), image)
        except (ImageProblem, ValueError):
            continue
        if row.max_position <= policy.max_positions:
            yield row


def _batches(policy: Policy, rows: Iterable[Row]) -> Iterator[Batch]:
    """The first usable rows, one a batch, so that what is compared does not depend on padding."""
    found = 0
    for row in rows:
        try:
            for image in [row.image] if row.image else []:
                policy.vision.encode(image)
        except ImageProblem:
            continue
        yield _batch(policy, row)
        found += 1
        if found == MAX_ROWS:
            return
    if found == 0:
        yield from (_batch(policy, row) for row in rows_of(policy, [(_PROMPT, None)]))


def _batch(policy: Policy, row: Row) -> Batch:
    return join_rows([row], device=policy.device, sliding_window=policy.sliding_window)


@torch.no_grad()
def _forward(policy: Policy, batch: Batch, what: str) -> tuple[Tensor, Tensor]:
    """Hidden states (1, tokens, hidden) and the first response tokens' log-probabilities (N,)."""
    hidden = hidden_states(policy, batch)
    logps = policy.head(hidden.flatten(0, 1)[batch.predict_from[:_MAX_TOKENS]]).log_softmax(dim=-1)
    logps = logps.gather(-1, batch.targets[:_MAX_TOKENS, None]).squeeze(-1)
    if not (bool(hidden.isfinite().all()) and bool(logps.isfinite().all())):
        raise StageError(
            "MODEL_INVALID", f"{what} gives numbers that are not finite", what, "its weights are damaged, or overflow in this dtype"
        )
    return hidden, logps
