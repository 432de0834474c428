"""Description-infused fine-tuning: learn to answer with one's own description in view (Algorithm 2, training).

The adapter of stage 1 goes on being trained, not merged, with a fresh optimizer. Only the assistant's words are learned, and
every row weighs the same however long its answers are.

Reads infused and the adapter of stage1. Writes the adapter of checkpoint stage2.
"""

from __future__ import annotations

from functools import partial

import torch

from stic_trainer.config.job import Job, SftConfig
from stic_trainer.data.images import ImageProblem
from stic_trainer.data.records import InfusedRow, read_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.errors import StageError
from stic_trainer.method.metrics import SFT_LOSS
from stic_trainer.method.sft import sft_loss
from stic_trainer.modeling.packing import join_packs, packed_groups
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row, plain_row, split_by_tokens
from stic_trainer.modeling.scoring import score
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.images import image_file
from stic_trainer.stages.instructions import to_messages
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.stage_setup import load_adapter, metadata, open_policy
from stic_trainer.stages.training import Training, too_long


def run(job: Job, ctx: StageContext) -> None:
    source, adapter, config, speed, seed = job.input("infused"), job.input("adapter"), job.recipe.sft, job.recipe.speed, job.recipe.seed
    policy = open_policy(job, ctx)
    rows = _read_rows(ctx, policy, list(read_rows(ctx.store.blob(source.sha256), InfusedRow)), config)
    load_adapter(policy, ctx, adapter, rows, subject="stage1", trainable=True)
    policy.adapters.set_dropout(True)
    made_from = {"sft": config, "model": job.recipe.model, "infused": source.sha256, "adapter": adapter.sha256}
    training = Training(ctx, policy, rows, stage="sft", seed=seed, optimizer=config.optimizer, speed=speed, made_from=made_from)

    split = partial(_split, max_tokens=config.optimizer.max_micro_batch_tokens, packed=speed.pack_rows and policy.family.packs)
    join = partial(
        join_packs, device=policy.device, sliding_window=policy.sliding_window, by_blocks=policy.by_blocks and speed.attend_by_blocks
    )
    for step, indices in training.steps():
        torch.manual_seed(item_seed(seed, "sft", f"dropout/{step}/{ctx.ranks.rank}"))
        loss = torch.zeros((), dtype=torch.float64, device=policy.device)
        for packs, weight in training.micro_batches(indices, split):
            batch = join(packs)
            logps = score(policy, batch, response_only_head=speed.response_only_head)
            share = sft_loss(logps, batch.lengths).sum() * weight / len(indices)
            training.backward(share)
            loss += share.detach()
        training.update(step, {SFT_LOSS.name: float(ctx.ranks.all_reduce(loss))}, extra={})
    training.publish("stage2", metadata(policy, job))


def _split(rows: list[Row], max_tokens: int, packed: bool) -> list[list[list[Row]]]:
    """Micro-batches of packs; a pack is one row unless rows are packed."""
    if packed:
        return packed_groups(rows, max_tokens)
    return [[[row] for row in group] for group in split_by_tokens(rows, max_tokens)]


def _read_rows(ctx: StageContext, policy: Policy, infused: list[InfusedRow], config: SftConfig) -> list[Row]:
    """One row per usable conversation; one above the limits is left out whole, never cut."""
    ctx.phase("reading rows")
    skipped = Skipped(ctx, total=len(infused), stage="sft", max_fraction=config.max_skipped_fraction)
    rows: list[Row] = []
    for done, source in enumerate(infused, start=1):
        image = image_file(ctx, source.image) if source.image else None
        try:
            messages = to_messages(source.conversations, with_image=image is not None)
            count = policy.vision.num_tokens(image) if image else 0
            row = plain_row(policy.chat.conversation(messages, count), image, key=len(rows))
        except ValueError as error:
            skipped.add(source.name, "ROW_INVALID", str(error))
            continue
        except ImageProblem as problem:
            skipped.add(source.name, problem.code, problem.reason)
            continue
        excess = too_long(row, policy, image_tokens=count, max_length=config.max_length, max_text_tokens=config.max_text_tokens)
        if excess:
            skipped.add(source.name, "TOO_LONG", excess)
            continue
        rows.append(row)
        ctx.progress(done, len(infused), unit="rows")
    if not rows:
        raise StageError("DATA_INVALID", "no row is left to train on", "infused", "look at the skipped items for the reasons")
    skipped.check()
    return rows
