"""Prefer your own good description to your own bad one: regularised DPO on the pairs (Algorithm 1, training).

Both sides of a pair share the clean image and the plain prompt. The reference is the base model: the policy with its adapter
switched off. Dropout is off in both.

A run that starts from an earlier adapter trains that one on. Its reference is the policy it starts as, adapter included: that one
wrote the pairs, and against the bare base the pull of beta would be back to where the line began, undoing earlier rounds. Before
the first step policy and reference are one and the same, so all pairs are scored then, and no second copy is kept.

Reads pairs and, where the run starts from an adapter, start. Writes the adapter of checkpoint stage1.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from stic_trainer.config.job import DpoConfig, DpoObjective, Job, Sharding
from stic_trainer.data.records import Pair, read_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.engine.checkpoints import Checkpoints
from stic_trainer.engine.engine import make_engine
from stic_trainer.engine.sharding import shard_layers
from stic_trainer.errors import StageError
from stic_trainer.method.dpo import DpoSums, Scores, chosen_only_loss, regularised_loss, strongest_other
from stic_trainer.modeling.chat import Message, PlaceholderError
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Batch, Row, branch, join_rows, split_by_tokens
from stic_trainer.modeling.scoring import score
from stic_trainer.ranks import Ranks
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.opening import Skips, lever_facts, load_start, metadata, open_policy, too_long
from stic_trainer.stages.pictures import picture_of
from stic_trainer.stages.plan import Plan

_METRICS = ("dpo/loss", "dpo/margin", "dpo/accuracy", "dpo/chosen_logp", "dpo/rejected_logp")


def run(job: Job, ctx: StageContext) -> None:
    source, config = job.input("pairs"), job.recipe.dpo
    policy = open_policy(job, ctx)
    rows = _read_rows(ctx, policy, list(read_rows(ctx.store.blob(source.sha256), Pair)), config)
    begun = load_start(policy, job, ctx, trainable=True)
    if begun is None:
        policy.add_adapter(config.lora, seed=item_seed(job.recipe.seed, "dpo", "adapter"))
    else:
        policy.check_shape(config.lora)
    policy.set_dropout(False)
    if job.recipe.speed.gradient_checkpointing:
        policy.recompute_activations()
    share_prefix = job.recipe.speed.share_prefix and policy.family.shares_prefix
    if config.optimizer.sharding is Sharding.FULL:
        ctx.facts(**shard_layers(policy.language_model.layers, ctx.ranks))
    engine = make_engine(policy.trainable(), config.optimizer)
    plan = Plan(len(rows), job.recipe.seed, config.optimizer)
    made_from = {"stage": "dpo", "dpo": config, "seed": job.recipe.seed, "model": job.recipe.model, "pairs": source.sha256}
    made_from |= {"rows": len(rows), "dtype": str(policy.dtype)} | ({"start": begun.sha256} if begun else {})
    checkpoints = Checkpoints(ctx.work / "checkpoints", made_from=made_from, every_steps=config.optimizer.checkpoint_every_steps)
    start, extra = checkpoints.restore(engine)
    references = extra.get("references", torch.full((len(rows), 2), torch.nan, dtype=torch.float64))
    ctx.facts(resumed_from_step=str(start), **policy.facts(), **lever_facts(job, policy))
    if begun is not None and start == 0:
        _score_start(job, ctx, policy, rows, references, share_prefix=share_prefix)
    gains: list[float] = []
    score_again = not job.recipe.speed.reuse_reference_scores and begun is None
    ranks, by_blocks = ctx.ranks, policy.by_blocks and job.recipe.speed.attend_by_blocks
    split = partial(split_by_tokens, max_tokens=config.optimizer.max_micro_batch_tokens, share_prefix=share_prefix)

    ctx.phase("training")
    for step in range(start, plan.num_steps):
        indices = plan.rows(step)
        first_time = score_again or bool(references[indices].isnan().any())
        sums = torch.zeros(6, dtype=torch.float64, device=policy.device)
        for group, weight in plan.micro_batches([rows[index] for index in indices], ranks, split):
            batch = join_rows(
                group,
                device=policy.device,
                sliding_window=policy.sliding_window,
                share_prefix=share_prefix,
                by_blocks=by_blocks,
            )
            reference = _reference(job, policy, batch, references, [row.key for row in group], first_time=first_time)
            scores = _scores(job, policy, batch)
            losses = _losses(config, scores, reference, batch)
            engine.backward(losses.sum() * weight / len(indices))
            sums += DpoSums.of(losses, scores, reference, beta=config.beta).stacked() * weight
        norm = engine.update(learning_rate=plan.learning_rate(step), step=step)
        *means, gain = (ranks.sum(sums) / len(indices)).tolist()
        if first_time:
            references[indices] = _exchange(ranks, references[indices])
        gains.append(gain)
        _report(ctx, plan, step, means, norm)
        if checkpoints.is_due(step + 1) or ctx.stop_requested:
            checkpoints.commit(engine, next_step=step + 1, extra={"references": references})
            ctx.check_stop()
    _warn_if_chosen_falls(ctx, gains)

    folder = ctx.work / "adapter"
    policy.save_adapter(folder)
    ctx.publish_tree("adapter", folder, metadata(policy, job) | {"checkpoint": "stage1", "steps": str(plan.num_steps)})


def _read_rows(ctx: StageContext, policy: Policy, pairs: list[Pair], config: DpoConfig) -> list[Row]:
    """One row per usable pair, numbered; longer ones than ``max_length`` are left out whole, never cut."""
    ctx.phase("reading pairs")
    skips = Skips(ctx, total=len(pairs))
    rows: list[Row] = []
    for done, pair in enumerate(pairs, start=1):
        picture = None if config.omit_image else picture_of(ctx, pair.image)
        count = policy.image_tokens(picture) if picture else 0
        question = Message("user", pair.prompt, image=picture is not None)
        try:
            chosen = policy.chat.conversation([question, Message("assistant", pair.chosen)], count)
            rejected = policy.chat.conversation([question, Message("assistant", pair.rejected)], count)
        except PlaceholderError as error:
            skips.add(pair.id, "ROW_INVALID", str(error))
            continue
        if chosen.ids == rejected.ids:
            skips.add(pair.id, "EQUAL_SIDES", "both sides have the same tokens, so there is nothing to prefer")
            continue
        row = branch(chosen, rejected, picture, key=len(rows))
        if excess := too_long(row, policy, config.max_length):
            skips.add(pair.id, "TOO_LONG", excess)
            continue
        rows.append(row)
        ctx.progress(done, len(pairs), unit="pairs")
    if not rows:
        raise StageError("DATA_INVALID", "no pair is left to train on", "pairs", "look at the skipped items for the reasons")
    return rows


def _scores(job: Job, policy: Policy, batch: Batch) -> Scores:
    """Both sides' log-probabilities. Responses come in the rows' order, chosen before rejected."""
    replace = _strongest_in_rejected if job.recipe.dpo.score_strongest_token else None
    sides = score(policy, batch, response_only_head=job.recipe.speed.response_only_head, replace=replace).view(-1, 2)
    return Scores(sides[:, 0], sides[:, 1])


def _strongest_in_rejected(logits: Tensor, tokens: Tensor, responses: Tensor) -> Tensor:
    """The official code's rejected term: every second response is a rejected one."""
    return torch.where(responses % 2 == 1, strongest_other(logits, tokens), tokens)


def _reference(job: Job, policy: Policy, batch: Batch, references: Tensor, keys: list[int], *, first_time: bool) -> Scores:
    """The start's scores, known beforehand, or the base model's, computed when a pair is first met and remembered for later epochs."""
    if first_time:
        with policy.using(None), torch.no_grad():
            scores = _scores(job, policy, batch)
            references[keys] = torch.stack((scores.chosen, scores.rejected), dim=1).double().cpu()
    known = references[keys].to(policy.device, torch.promote_types(policy.dtype, torch.float32))
    return Scores(known[:, 0], known[:, 1])


def _score_start(job: Job, ctx: StageContext, policy: Policy, rows: list[Row], references: Tensor, *, share_prefix: bool) -> None:
    """Fills ``references`` (pairs, 2) with the scores of the policy as it is now, before its first step."""
    ctx.phase("scoring the start")
    done = 0
    for group in split_by_tokens(rows, job.recipe.dpo.optimizer.max_micro_batch_tokens, share_prefix=share_prefix):
        batch = join_rows(group, device=policy.device, sliding_window=policy.sliding_window, share_prefix=share_prefix)
        with torch.no_grad():
            scores = _scores(job, policy, batch)
        references[[row.key for row in group]] = torch.stack((scores.chosen, scores.rejected), dim=1).double().cpu()
        done += len(group)
        ctx.progress(done, len(rows), unit="pairs")
        ctx.check_stop()


def _exchange(ranks: Ranks, references: Tensor) -> Tensor:
    """(pairs, 2) of a step: each pair's reference from the process whose share it was."""
    mine = torch.zeros_like(references)
    mine[ranks.index :: ranks.count] = references[ranks.index :: ranks.count]
    return ranks.sum(mine)


def _losses(config: DpoConfig, policy: Scores, reference: Scores, batch: Batch) -> Tensor:
    if config.objective is DpoObjective.CHOSEN_ONLY:
        return chosen_only_loss(policy, batch.lengths.view(-1, 2)[:, 0])
    if config.objective is DpoObjective.SWAPPED:
        policy, reference = policy.exchanged(), reference.exchanged()
    return regularised_loss(policy, reference, beta=config.beta, chosen_weight=config.chosen_weight)


def _report(ctx: StageContext, plan: Plan, step: int, means: list[float], norm: float) -> None:
    for name, value in zip(_METRICS, means, strict=True):
        ctx.metric(name, step + 1, value)
    ctx.metric("dpo/learning_rate", step + 1, plan.learning_rate(step))
    ctx.metric("dpo/grad_norm", step + 1, norm)
    ctx.progress(step + 1, plan.num_steps, unit="steps")


def _warn_if_chosen_falls(ctx: StageContext, gains: list[float]) -> None:
    last = gains[-max(1, len(gains) // 5) :]
    if last and sum(last) / len(last) < 0:
        ctx.log(
            f"the preferred texts became less likely than under the reference ({sum(last) / len(last):+.2f} nats a text over the "
            "last steps): the model may be unlearning; raise dpo.chosen_weight or lower the learning rate",
            "warning",
        )
