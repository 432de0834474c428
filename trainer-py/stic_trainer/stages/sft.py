"""Description-infused fine-tuning: learn to answer with one's own description in view (Algorithm 2, training).

The adapter of stage 1 goes on being trained, not merged, with a fresh optimizer. Only the assistant's words are learned, and
every row weighs the same however long its answers are.

Reads infused and the adapter of stage1. Writes the adapter of checkpoint stage2.
"""

from __future__ import annotations

from functools import partial

import torch

from stic_trainer.config.job import Job, Sharding
from stic_trainer.data.records import InfusedRow, read_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.engine.checkpoints import Checkpoints
from stic_trainer.engine.engine import make_engine
from stic_trainer.engine.sharding import shard_layers
from stic_trainer.errors import StageError
from stic_trainer.method.sft import sft_loss
from stic_trainer.modeling.packing import join_packs, packed_groups
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, plain_row, split_by_tokens
from stic_trainer.modeling.scoring import score
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.instructions import to_messages
from stic_trainer.stages.opening import Skips, lever_facts, metadata, open_policy, too_long
from stic_trainer.stages.pictures import picture_of
from stic_trainer.stages.plan import Plan


def run(job: Job, ctx: StageContext) -> None:
    source, adapter, config = job.input("infused"), job.input("adapter"), job.recipe.sft
    policy = open_policy(job, ctx)
    rows = _read_rows(ctx, policy, list(read_rows(ctx.store.blob(source.sha256), InfusedRow)), config.max_length)
    policy.load_adapter(ctx.store.tree(adapter.sha256), trainable=True)
    policy.set_dropout(True)
    if job.recipe.speed.gradient_checkpointing:
        policy.recompute_activations()
    if config.optimizer.sharding is Sharding.FULL:
        ctx.facts(**shard_layers(policy.language_model.layers, ctx.ranks))
    engine = make_engine(policy.trainable(), config.optimizer)
    plan = Plan(len(rows), job.recipe.seed, config.optimizer)
    made_from = {"stage": "sft", "sft": config, "seed": job.recipe.seed, "model": job.recipe.model, "infused": source.sha256}
    made_from |= {"adapter": adapter.sha256, "rows": len(rows), "dtype": str(policy.dtype)}
    checkpoints = Checkpoints(ctx.work / "checkpoints", made_from=made_from, every_steps=config.optimizer.checkpoint_every_steps)
    start, _ = checkpoints.restore(engine)
    ctx.facts(resumed_from_step=str(start), **policy.facts(), **lever_facts(job, policy))
    packed = job.recipe.speed.pack_rows and policy.family.packs
    ranks, split = ctx.ranks, partial(_split, max_tokens=config.optimizer.max_micro_batch_tokens, packed=packed)
    by_blocks = policy.by_blocks and job.recipe.speed.attend_by_blocks

    ctx.phase("training")
    for step in range(start, plan.num_steps):
        indices = plan.rows(step)
        torch.manual_seed(item_seed(job.recipe.seed, "sft", f"dropout/{step}/{ranks.index}"))
        loss = torch.zeros((), dtype=torch.float64, device=policy.device)
        for packs, weight in plan.micro_batches([rows[index] for index in indices], ranks, split):
            batch = join_packs(packs, device=policy.device, sliding_window=policy.sliding_window, by_blocks=by_blocks)
            logps = score(policy, batch, response_only_head=job.recipe.speed.response_only_head)
            share = sft_loss(logps, batch.lengths).sum() * weight / len(indices)
            engine.backward(share)
            loss += share.detach()
        norm = engine.update(learning_rate=plan.learning_rate(step), step=step)
        ctx.metric("sft/loss", step + 1, float(ranks.sum(loss)))
        ctx.metric("sft/learning_rate", step + 1, plan.learning_rate(step))
        ctx.metric("sft/grad_norm", step + 1, norm)
        ctx.progress(step + 1, plan.num_steps, unit="steps")
        if checkpoints.is_due(step + 1) or ctx.stop_requested:
            checkpoints.commit(engine, next_step=step + 1, extra={})
            ctx.check_stop()

    folder = ctx.work / "adapter"
    policy.save_adapter(folder)
    ctx.publish_tree("adapter", folder, metadata(policy, job) | {"checkpoint": "stage2", "steps": str(plan.num_steps)})


def _split(rows: list[Row], max_tokens: int, packed: bool) -> list[list[list[Row]]]:
    """Micro-batches of packs; a pack is one row unless rows are packed."""
    if packed:
        return packed_groups(rows, max_tokens)
    return [[[row] for row in group] for group in split_by_tokens(rows, max_tokens)]


def _read_rows(ctx: StageContext, policy: Policy, infused: list[InfusedRow], max_length: int) -> list[Row]:
    """One row per usable conversation; longer ones than ``max_length`` are left out whole, never cut."""
    ctx.phase("reading rows")
    skips = Skips(ctx, total=len(infused))
    rows: list[Row] = []
    for done, source in enumerate(infused, start=1):
        picture = picture_of(ctx, source.image) if source.image else None
        try:
            messages = to_messages(source.conversations, with_image=picture is not None)
            tokens = policy.chat.conversation(messages, policy.image_tokens(picture) if picture else 0)
            row = plain_row(tokens, picture, key=len(rows))
        except ValueError as error:
            skips.add(source.name, "ROW_INVALID", str(error))
            continue
        if excess := too_long(row, policy, max_length):
            skips.add(source.name, "TOO_LONG", excess)
            continue
        rows.append(row)
        ctx.progress(done, len(infused), unit="rows")
    if not rows:
        raise StageError("DATA_INVALID", "no row is left to train on", "infused", "look at the skipped items for the reasons")
    return rows
