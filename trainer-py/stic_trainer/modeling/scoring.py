"""Summed log-probabilities of responses. The output head runs on the places that predict a response token, nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from stic_trainer.modeling.finite import check_finite_rows
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch

_MAX_LOGITS = 2**26
"""Logits held at once; more response tokens are scored in chunks, whose logits the backward pass computes again."""

Replacement = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From logits (N, vocabulary), tokens (N,) and the number of each one's response (N,): the tokens to score in their place, (N,)."""


def score(policy: Policy, batch: Batch, *, response_only_head: bool = True, replace: Replacement | None = None) -> Tensor:
    """(responses,) sums of log-probabilities, at least fp32."""
    hidden = hidden_states(policy, batch)
    responses = len(batch.lengths)
    longest = int(batch.lengths.max())

    def token_logps(logits: Tensor, targets: Tensor, places: Tensor) -> Tensor:
        if replace is not None:
            targets = replace(logits.detach(), targets, places // longest)
        return logits.gather(-1, targets[:, None]).squeeze(-1) - logits.logsumexp(dim=-1)

    if response_only_head:
        logps = _in_chunks(policy, token_logps, hidden.flatten(0, 1)[batch.predict_from], batch)
    else:
        logps = token_logps(policy.head(hidden).flatten(0, 1)[batch.predict_from], batch.targets, batch.places)
    table = torch.zeros(responses * longest, dtype=logps.dtype, device=logps.device)
    # A table instead of a scattered sum: the order of additions is then the same on every run and device.
    sums = table.index_copy(0, batch.places, logps).view(responses, longest).sum(dim=1)
    rows = len(batch.input_ids)
    check_finite_rows(
        policy, sums.detach(), [image for image in batch.images for _ in range(responses // rows)] if len(batch.images) == rows else ()
    )
    return sums


def hidden_states(policy: Policy, batch: Batch) -> Tensor:
    """(B, S, hidden) of the language model's last layer."""
    with torch.no_grad():
        features = [policy.vision.encode(image) for image in batch.images]
        inputs = policy.inputs(batch.input_ids, batch.positions, batch.mask, features)
    blocks = {} if batch.blocks is None else {"blocks": batch.blocks}
    hidden: Tensor = policy.language_model(**inputs, use_cache=False, **blocks).last_hidden_state
    return hidden


def _in_chunks(policy: Policy, token_logps: Callable[[Tensor, Tensor, Tensor], Tensor], hidden: Tensor, batch: Batch) -> Tensor:
    """(N,) log-probabilities from hidden states (N, hidden)."""

    def chunk(hidden: Tensor, targets: Tensor, places: Tensor) -> Tensor:
        return token_logps(policy.head(hidden), targets, places)

    size = max(1, _MAX_LOGITS // policy.base.config.text_config.vocab_size)
    if len(hidden) <= size:
        return chunk(hidden, batch.targets, batch.places)
    chunks = zip(*(torch.split(whole, size) for whole in (hidden, batch.targets, batch.places)), strict=True)
    return torch.cat([checkpoint(chunk, *parts, use_reentrant=False) for parts in chunks])
