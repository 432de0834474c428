"""Batched generation whose text does not depend on the batch: noise by item seed, features by image, positions by row.

Prompts on the same image can share one prefill of [template head + image]: what the model has read is then repeated for each of
them, and padding lies between the image and the question. Requests are sorted and grouped so that the padded tokens, prompt
and answer together, stay within a bound. Rows that have ended leave the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from stic_trainer.data.images import ImageProblem
from stic_trainer.method.sampling import pick_tokens
from stic_trainer.modeling.chat import Message, TextError
from stic_trainer.modeling.finite import check_finite_rows
from stic_trainer.modeling.inputs import ImageFeatures
from stic_trainer.modeling.kv_cache import KvCache
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.vision import ImageFile

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
    @property
    def share_image_cache(self) -> bool: ...


@dataclass(frozen=True)
class Request:
    """A prompt, mostly about an image. ``key`` is the caller's own; ``seed`` (0..2**63-1) is the only source of noise."""

    key: str
    prompt: str
    image: ImageFile | None
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
    head: int
    """Leading tokens that are read once for all prompts on the image: the template's and the image's. 0: none are."""

    @property
    def rest(self) -> int:
        return len(self.ids) - self.head

    @property
    def image_sha256(self) -> str:
        return self.request.image.sha256 if self.request.image and self.head else ""


def generate(
    policy: Policy, requests: Sequence[Request], settings: SamplingSettings, *, max_batch_tokens: int, share: tuple[int, int] = (0, 1)
) -> Iterator[tuple[list[Answer], list[Refusal]]]:
    """Answers batch by batch, each request exactly once as an answer or a refusal.

    Images are shared where that is asked for, exact, and fewer tokens to read. share: (index, count) of the processes that divide
    the batches among them; the batches are the same for any count.
    """
    prepared, refused = _prepare(policy, requests)
    if refused and share[0] == 0:
        yield [], refused
    layouts = [[replace(row, head=0) for row in prepared]]
    if settings.share_image_cache and policy.family.shares_image:
        layouts.append(prepared)
    plans = [list(_groups(rows, settings.max_new_tokens, max_batch_tokens)) for rows in layouts]
    for group in min(plans, key=lambda plan: sum(map(_prompt_tokens, plan)))[share[0] :: share[1]]:
        seen, features, refused = _encode(policy, group)
        yield (_answer(policy, seen, features, settings) if seen else []), refused


def _prepare(policy: Policy, requests: Sequence[Request]) -> tuple[list[_Prepared], list[Refusal]]:
    prepared: list[_Prepared] = []
    refused: list[Refusal] = []
    for request in requests:
        try:
            count = policy.vision.num_tokens(request.image) if request.image else 0
            ids = policy.chat.prompt([Message("user", request.prompt, image=request.image is not None)], count)
        except TextError as error:
            refused.append(Refusal(request.key, "ROW_INVALID", str(error)))
        except ImageProblem as problem:
            refused.append(Refusal(request.key, problem.code, problem.reason))
        else:
            if len(ids) >= policy.max_positions:
                reason = f"the prompt has {len(ids)} tokens; the model takes {policy.max_positions}"
                refused.append(Refusal(request.key, "TOO_LONG", reason))
            else:
                head = ids.index(policy.chat.image_token_id) + count if request.image else 0
                prepared.append(_Prepared(request, ids, head))
    return prepared, refused


def _groups(prepared: list[_Prepared], new_tokens: int, max_tokens: int) -> Iterator[list[_Prepared]]:
    """Batches, longest rows first; prompts that share an image stay together. A row above the bound is a batch of its own."""
    group: list[_Prepared] = []
    head = rest = 0
    for row in sorted(prepared, key=lambda row: (-row.head, row.image_sha256, -row.rest, row.request.key)):
        head, rest = max(head, row.head), max(rest, row.rest)
        if group and (len(group) + 1) * (head + rest + new_tokens) > max_tokens:
            yield group
            group, head, rest = [], row.head, row.rest
        group.append(row)
    if group:
        yield group


def _prompt_tokens(group: list[_Prepared]) -> int:
    """Padded tokens that the model reads before the first answer's."""
    images = {row.image_sha256 for row in group}
    return len(images) * max(row.head for row in group) + len(group) * max(row.rest for row in group)


def _encode(policy: Policy, group: list[_Prepared]) -> tuple[list[_Prepared], list[ImageFeatures | None], list[Refusal]]:
    seen: list[_Prepared] = []
    features: list[ImageFeatures | None] = []
    refused: list[Refusal] = []
    for row in group:
        try:
            features.append(policy.vision.encode(row.request.image) if row.request.image else None)
            seen.append(row)
        except ImageProblem as problem:
            refused.append(Refusal(row.request.key, problem.code, problem.reason))
    return seen, features, refused


@torch.no_grad()
def _answer(policy: Policy, rows: list[_Prepared], features: list[ImageFeatures | None], settings: SamplingSettings) -> list[Answer]:
    device = policy.device
    cache, last = _read_prompts(policy, rows, features)
    ends = torch.tensor(policy.end_tokens(), device=device)
    seeds = torch.tensor([row.request.seed for row in rows], device=device)
    lengths = [len(row.ids) for row in rows]

    texts: list[list[int]] = [[] for _ in rows]
    ended = [False] * len(rows)
    alive = list(range(len(rows)))  # rows of the batch, as places in ``rows``
    for step in range(settings.max_new_tokens):
        logits = policy.head(last)
        check_finite_rows(policy, logits.amax(dim=-1), [rows[row].request.image for row in alive])
        tokens = pick_tokens(logits, seeds, step, temperature=settings.temperature, top_p=settings.top_p)
        going: list[int] = []
        for place, (row, token, stop) in enumerate(zip(alive, tokens.tolist(), torch.isin(tokens, ends).tolist(), strict=True)):
            if ended[row]:
                continue
            ended[row] = stop
            if not stop:
                texts[row].append(token)
                if lengths[row] + step + 1 < policy.max_positions:
                    going.append(place)
        if not going or step + 1 == settings.max_new_tokens:
            break
        if len(going) < _KEEP_SHARE * len(alive):
            kept = torch.tensor(going, device=device)
            cache.select(kept)
            alive, tokens, seeds = [alive[place] for place in going], tokens[kept], seeds[kept]
        last = cache.read(tokens[:, None])
    return [Answer(row.request.key, policy.chat.text(ids), len(ids), done) for row, ids, done in zip(rows, texts, ended, strict=True)]


def _read_prompts(policy: Policy, rows: list[_Prepared], features: list[ImageFeatures | None]) -> tuple[KvCache, Tensor]:
    """The cache after the prompts, and the last hidden state (rows, hidden) of each."""
    if not any(row.head for row in rows):
        cache = KvCache(policy, len(rows))
        return cache, cache.read(*_padded([row.ids for row in rows], policy), features)
    first = {row.image_sha256: index for index, row in reversed(list(enumerate(rows)))}
    images = list(first)
    cache = KvCache(policy, len(images))
    heads = [rows[index].ids[: rows[index].head] for index in first.values()]
    cache.read(*_padded(heads, policy), [features[index] for index in first.values()])
    cache.select(torch.tensor([images.index(row.image_sha256) for row in rows], device=policy.device))
    return cache, cache.read(*_padded([row.ids[row.head :] for row in rows], policy))


def _padded(rows: list[list[int]], policy: Policy) -> tuple[Tensor, Tensor]:
    """Ids (rows, longest), padded on the left, and lengths (rows,)."""
    width = max(len(ids) for ids in rows)
    ids = [[0] * (width - len(row)) + row for row in rows]
    return torch.tensor(ids, device=policy.device), torch.tensor([len(row) for row in rows], device=policy.device)
