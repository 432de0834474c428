"""Prefer your own good description to your own bad one: regularised DPO on the pairs (Algorithm 1, training).

Both sides of a pair share the clean image and the plain prompt. The reference is the base model: the policy with its adapter
switched off. Dropout is off in both.

A run that starts from an earlier adapter trains that one on. Its reference is the policy it starts as, adapter included: that one
wrote the pairs, and against the bare base the pull of beta would be back to where the line began, undoing earlier rounds. Before
the first step policy and reference are one and the same, so all pairs are scored then, and no second copy is kept.

Reads pairs and, where the run starts from an adapter, start. Writes the adapter of checkpoint stage1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from stic_trainer.config.job import DpoConfig, DpoObjective, Job
from stic_trainer.data.images import ImageProblem
from stic_trainer.data.records import Pair, read_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.errors import StageError
from stic_trainer.method.dpo import DpoSums, Scores, chosen_only_loss, regularised_loss, strongest_other
from stic_trainer.method.metrics import DPO_TERMS
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch, Row, branch, join_rows, split_by_tokens
from stic_trainer.modeling.scoring import Replacement, score
from stic_trainer.ranks import Ranks
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.images import image_file
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.stage_setup import load_start_adapter, metadata, open_policy
from stic_trainer.stages.training import Training, too_long


def run(job: Job, ctx: StageContext) -> None:
    source, config, speed, seed = job.input("pairs"), job.recipe.dpo, job.recipe.speed, job.recipe.seed
    policy = open_policy(job, ctx)
    pairs = list(read_rows(ctx.store.blob(source.sha256), Pair))
    # Images of the pairs of stage prefer have passed this model's vision tower, those of imported pairs have not.
    rows = _read_rows(ctx, policy, pairs, config, check_images="template_hash" not in source.metadata)
    start = load_start_adapter(policy, job, ctx, rows, trainable=True)
    if start is None:
        policy.adapters.add(config.lora, seed=item_seed(seed, "dpo", "adapter"))
    else:
        policy.adapters.check_shape(config.lora)
    policy.adapters.set_dropout(False)
    made_from = {"dpo": config, "model": job.recipe.model, "pairs": source.sha256} | ({"start": start.sha256} if start else {})
    training = Training(ctx, policy, rows, stage="dpo", seed=seed, optimizer=config.optimizer, speed=speed, made_from=made_from)

    share_prefix = speed.share_prefix and policy.family.shares_prefix
    split = partial(split_by_tokens, max_tokens=config.optimizer.max_micro_batch_tokens, share_prefix=share_prefix)
    join = partial(
        join_rows,
        device=policy.device,
        sliding_window=policy.sliding_window,
        share_prefix=share_prefix,
        by_blocks=policy.by_blocks and speed.attend_by_blocks,
    )
    replace = _strongest_in_rejected if config.score_strongest_token else None
    scores_of = partial(_scores, policy, response_only_head=speed.response_only_head, replace=replace)
    references = _References(policy, scores_of, training.restored.get("references"), num_pairs=len(rows))
    if start is not None and training.first_step == 0:
        _score_start(ctx, references, split(rows), join)
    score_again = not speed.reuse_reference_scores and start is None

    for step, indices in training.steps():
        first_time = score_again or references.lacks(indices)
        sums = torch.zeros(len(DPO_TERMS), dtype=torch.float64, device=policy.device)
        for group, weight in training.micro_batches(indices, split):
            batch, keys = join(group), [row.key for row in group]
            if first_time:
                with policy.adapters.using(None):
                    references.score(batch, keys)
            reference, scores = references.of(keys), scores_of(batch)
            losses = _losses(config, scores, reference, batch)
            training.backward(losses.sum() * weight / len(indices))
            sums += DpoSums.of(losses, scores, reference, beta=config.beta).stacked() * weight
        means = (ctx.ranks.all_reduce(sums) / len(indices)).tolist()
        if first_time:
            references.exchange(ctx.ranks, indices)
        metrics = {metric.name: mean for metric, mean in zip(DPO_TERMS, means, strict=True)}
        training.update(step, metrics, extra={"references": references.table})
    training.publish("stage1", metadata(policy, job))


def _read_rows(ctx: StageContext, policy: Policy, pairs: list[Pair], config: DpoConfig, *, check_images: bool) -> list[Row]:
    """One row per usable pair, numbered; a pair with a side above the limits is left out whole, never cut."""
    ctx.phase("reading pairs")
    skipped = Skipped(ctx, total=len(pairs), stage="dpo", max_fraction=config.max_skipped_fraction)
    rows: list[Row] = []
    for done, pair in enumerate(pairs, start=1):
        image = None if config.omit_image else image_file(ctx, pair.image)
        question = Message("user", pair.prompt, image=image is not None)
        try:
            count = policy.vision.num_tokens(image) if image else 0
            if image and check_images:
                policy.vision.encode(image)
            chosen = policy.chat.conversation([question, Message("assistant", pair.chosen)], count)
            rejected = policy.chat.conversation([question, Message("assistant", pair.rejected)], count)
            row = branch(chosen, rejected, image, key=len(rows))
        except ValueError as error:
            skipped.add(pair.id, "ROW_INVALID", str(error))
            continue
        except ImageProblem as problem:
            skipped.add(pair.id, problem.code, problem.reason)
            continue
        if chosen.ids == rejected.ids:
            skipped.add(pair.id, "EQUAL_SIDES", "both sides have the same tokens, so there is nothing to prefer")
            continue
        excess = too_long(row, policy, image_tokens=count, max_length=config.max_length, max_text_tokens=config.max_text_tokens)
        if excess:
            skipped.add(pair.id, "TOO_LONG", excess)
            continue
        rows.append(row)
        ctx.progress(done, len(pairs), unit="pairs")
    if not rows:
        raise StageError("DATA_INVALID", "no pair is left to train on", "pairs", "look at the skipped items for the reasons")
    skipped.check()
    return rows


class _References:
    """Scores of both sides under the reference: ``table`` (pairs, 2) fp64, NaN where a pair has not been scored yet."""

    def __init__(self, policy: Policy, scores_of: Callable[[Batch], Scores], table: Tensor | None, *, num_pairs: int) -> None:
        self._policy = policy
        self._scores_of = scores_of
        self.table = torch.full((num_pairs, 2), torch.nan, dtype=torch.float64) if table is None else table

    def lacks(self, indices: list[int]) -> bool:
        return bool(self.table[indices].isnan().any())

    @torch.no_grad()
    def score(self, batch: Batch, keys: list[int]) -> None:
        """Keeps the scores of the model as it is now."""
        scores = self._scores_of(batch)
        self.table[keys] = torch.stack((scores.chosen, scores.rejected), dim=1).double().cpu()

    def of(self, keys: list[int]) -> Scores:
        known = self.table[keys].to(self._policy.device, torch.promote_types(self._policy.dtype, torch.float32))
        return Scores(known[:, 0], known[:, 1])

    def exchange(self, ranks: Ranks, indices: list[int]) -> None:
        """A step's pairs in every process: each from the process whose share it was."""
        table = self.table[indices]
        mine = torch.zeros_like(table)
        mine[ranks.rank :: ranks.world_size] = table[ranks.rank :: ranks.world_size]
        self.table[indices] = ranks.all_reduce(mine)


def _score_start(ctx: StageContext, references: _References, groups: list[list[Row]], join: Callable[[Sequence[Row]], Batch]) -> None:
    """Scores all pairs with the policy before its first step."""
    ctx.phase("scoring the start")
    done, total = 0, sum(map(len, groups))
    for group in groups:
        references.score(join(group), [row.key for row in group])
        done += len(group)
        ctx.progress(done, total, unit="pairs")
        ctx.check_stop()


def _scores(policy: Policy, batch: Batch, *, response_only_head: bool, replace: Replacement | None) -> Scores:
    """Both sides' log-probabilities. Responses come in the rows' order, chosen before rejected."""
    sides = score(policy, batch, response_only_head=response_only_head, replace=replace).view(-1, 2)
    return Scores(sides[:, 0], sides[:, 1])


def _strongest_in_rejected(logits: Tensor, tokens: Tensor, responses: Tensor) -> Tensor:
    """The official code's rejected term: every second response is a rejected one."""
    return torch.where(responses % 2 == 1, strongest_other(logits, tokens), tokens)


def _losses(config: DpoConfig, policy: Scores, reference: Scores, batch: Batch) -> Tensor:
    if config.objective is DpoObjective.CHOSEN_ONLY:
        return chosen_only_loss(policy, batch.lengths.view(-1, 2)[:, 0])
    if config.objective is DpoObjective.SWAPPED:
        policy, reference = policy.swapped(), reference.swapped()
    return regularised_loss(policy, reference, beta=config.beta, chosen_weight=config.chosen_weight)
