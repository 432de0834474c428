"""Summed log-probabilities of responses. The output head runs on the places that predict a response token, nowhere else."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch

_MAX_LOGITS = 2**26
"""Logits held at once; more response tokens are scored in chunks, whose logits the backward pass computes again."""


def score(policy: Policy, batch: Batch) -> Tensor:
    """(responses,) sums of log-probabilities, at least fp32."""
    with torch.no_grad():
        features = [policy.see(picture) for picture in batch.pictures]
        embeds = policy.embed(batch.input_ids, features)
    hidden = policy.language_model(
        inputs_embeds=embeds, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False
    ).last_hidden_state
    logps = _token_logps(policy, hidden.flatten(0, 1)[batch.predict_from], batch.targets)
    responses = len(batch.lengths)
    longest = int(batch.lengths.max())
    table = torch.zeros(responses * longest, dtype=logps.dtype, device=logps.device)
    # A table instead of a scattered sum: the order of additions is then the same on every run and device.
    return table.index_copy(0, batch.places, logps).view(responses, longest).sum(dim=1)


def _token_logps(policy: Policy, hidden: Tensor, targets: Tensor) -> Tensor:
    """(N,) log-probabilities from hidden states (N, hidden)."""
    size = max(1, _MAX_LOGITS // policy.base.config.text_config.vocab_size)
    if len(targets) <= size:
        return _chunk_logps(policy, hidden, targets)
    chunks = zip(torch.split(hidden, size), torch.split(targets, size), strict=True)
    parts = [checkpoint(_chunk_logps, policy, states, tokens, use_reentrant=False) for states, tokens in chunks]
    return torch.cat(parts)


def _chunk_logps(policy: Policy, hidden: Tensor, targets: Tensor) -> Tensor:
    logits = policy.head(hidden)
    return logits.gather(-1, targets[:, None]).squeeze(-1) - logits.logsumexp(dim=-1)
