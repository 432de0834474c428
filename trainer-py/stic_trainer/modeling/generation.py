"""Batched generation whose text does not depend on the batch: left padding, noise by item seed, features by image.

Requests are sorted by length and grouped so that the padded tokens, prompt and answer together, stay within a bound. Rows
that have ended leave the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from stic_trainer.data.images import ImageProblem
from stic_trainer.method.sampling import pick_tokens
from stic_trainer.modeling.chat import Message, PlaceholderError
from stic_trainer.modeling.policy import Picture, Policy

_KEEP_SHARE = 0.75
"""Ended rows are dropped when fewer than this share of the batch goes on."""


class SamplingSettings(Protocol):
    """What is needed of recipe.proto's GenerationConfig."""

    @property
    def temperature(self) -> float: ...
    @property
    def top_p(self) -> float: ...
    @property
    def max_new_tokens(self) -> int: ...


@dataclass(frozen=True)
class Request:
    """A prompt, mostly about an image. ``key`` is the caller's own; ``seed`` (0..2**63-1) is the only source of noise."""

    key: str
    prompt: str
    picture: Picture | None
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    key: str
    text: str
    tokens: int
    """Without the end token."""
    ended: bool
    """False when the bound on tokens cut it off."""


@dataclass(frozen=True)
class Refusal:
    """A request that cannot be answered; ``code`` is one of SkippedItem's."""

    key: str
    code: str
    reason: str


@dataclass(frozen=True)
class _Prepared:
    request: Request
    ids: list[int]


def generate(
    policy: Policy, requests: Sequence[Request], settings: SamplingSettings, *, max_batch_tokens: int
) -> Iterator[tuple[list[Answer], list[Refusal]]]:
    """Answers batch by batch, longest prompts first, each request exactly once as an answer or a refusal."""
    prepared, refused = _prepare(policy, requests)
    if refused:
        yield [], refused
    for group in _groups(prepared, settings.max_new_tokens, max_batch_tokens):
        seen, features, refused = _look(policy, group)
        yield (_answer(policy, seen, features, settings) if seen else []), refused


def _prepare(policy: Policy, requests: Sequence[Request]) -> tuple[list[_Prepared], list[Refusal]]:
    prepared: list[_Prepared] = []
    refused: list[Refusal] = []
    for request in requests:
        try:
            count = policy.image_tokens(request.picture) if request.picture else 0
            ids = policy.chat.prompt([Message("user", request.prompt, image=request.picture is not None)], count)
        except PlaceholderError as error:
            refused.append(Refusal(request.key, "ROW_INVALID", str(error)))
        except ImageProblem as problem:
            refused.append(Refusal(request.key, problem.code, problem.reason))
        else:
            if len(ids) >= policy.max_positions:
                reason = f"the prompt has {len(ids)} tokens; the model takes {policy.max_positions}"
                refused.append(Refusal(request.key, "TOO_LONG", reason))
            else:
                prepared.append(_Prepared(request, ids))
    return sorted(prepared, key=lambda row: (-len(row.ids), row.request.key)), refused


def _groups(prepared: list[_Prepared], new_tokens: int, max_tokens: int) -> Iterator[list[_Prepared]]:
    start = 0
    while start < len(prepared):
        size = max(1, max_tokens // (len(prepared[start].ids) + new_tokens))
        yield prepared[start : start + size]
        start += size


def _look(policy: Policy, group: list[_Prepared]) -> tuple[list[_Prepared], list[Tensor], list[Refusal]]:
    seen: list[_Prepared] = []
    features: list[Tensor] = []
    refused: list[Refusal] = []
    for row in group:
        try:
            if row.request.picture is not None:
                features.append(policy.see(row.request.picture))
            seen.append(row)
        except ImageProblem as problem:
            refused.append(Refusal(row.request.key, problem.code, problem.reason))
    return seen, features, refused


@torch.no_grad()
def _answer(policy: Policy, rows: list[_Prepared], features: list[Tensor], settings: SamplingSettings) -> list[Answer]:
    device = policy.device
    width = max(len(row.ids) for row in rows)
    lengths = torch.tensor([len(row.ids) for row in rows], device=device)
    input_ids = torch.tensor([[0] * (width - len(row.ids)) + row.ids for row in rows], device=device)
    mask = torch.arange(width, device=device)[None, :] >= (width - lengths)[:, None]
    embeds = policy.embed(input_ids.masked_fill(~mask, policy.end_tokens()[0]), features)
    ends = torch.tensor(policy.end_tokens(), device=device)
    seeds = torch.tensor([row.request.seed for row in rows], device=device)
    cache = DynamicCache(config=policy.base.config.text_config)
    positions = (mask.long().cumsum(dim=1) - 1).clamp(min=0)

    texts = torch.full((len(rows), settings.max_new_tokens), -1, device=device)
    alive = torch.arange(len(rows), device=device)  # rows of the batch, as places in ``rows``
    ended = torch.zeros(len(rows), dtype=torch.bool, device=device)
    last = _last_hidden(policy, embeds, mask, positions, cache)
    for step in range(settings.max_new_tokens):
        tokens = pick_tokens(policy.head(last), seeds[alive], step, temperature=settings.temperature, top_p=settings.top_p)
        stops = torch.isin(tokens, ends)
        texts[alive, step] = torch.where(ended[alive] | stops, -1, tokens)
        ended[alive] |= stops
        full = lengths[alive] + step + 1 >= policy.max_positions
        going = ~ended[alive] & ~full
        count = int(going.sum())
        if count == 0 or step + 1 == settings.max_new_tokens:
            break
        if count < _KEEP_SHARE * len(alive) or bool(full.any()):
            kept = going.nonzero().squeeze(1)
            cache.batch_select_indices(kept)
            alive, tokens, mask = alive[kept], tokens[kept], mask[kept]
        mask = torch.cat((mask, mask.new_ones(len(alive), 1)), dim=1)
        embeds = policy.base.get_input_embeddings()(tokens[:, None])
        last = _last_hidden(policy, embeds, mask, (lengths[alive] + step)[:, None], cache)
    return [
        Answer(row.request.key, policy.chat.text(ids), len(ids), done)
        for row, ids, done in zip(rows, _trimmed(texts), ended.tolist(), strict=True)
    ]


def _last_hidden(policy: Policy, embeds: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
    output = policy.language_model(inputs_embeds=embeds, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True)
    last: Tensor = output.last_hidden_state[:, -1]
    return last


def _trimmed(texts: Tensor) -> list[list[int]]:
    return [[token for token in row if token >= 0] for row in texts.tolist()]
