"""The loop that stages dpo and sft share: which rows a step learns, the engine, resumable checkpoints, and what every step reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from torch import Tensor

from stic_trainer.config.job import OptimizerConfig, Sharding, SpeedConfig
from stic_trainer.engine.checkpoints import Checkpoints
from stic_trainer.engine.engine import make_engine
from stic_trainer.engine.sharding import shard_layers
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.plan import Plan
from stic_trainer.stages.stage_setup import optimization_attributes

_Group = TypeVar("_Group")


class Training:
    """The policy's adapter in use, trained on numbered ``rows`` (Row.key is the index) in optimizer steps.

    stage: prefix of the optimizer's metrics. made_from: all that a checkpoint depends on beside the rows' number and the model's dtype.
    """

    def __init__(
        self,
        ctx: StageContext,
        policy: Policy,
        rows: list[Row],
        *,
        stage: str,
        seed: int,
        optimizer: OptimizerConfig,
        speed: SpeedConfig,
        made_from: Mapping[str, object],
    ) -> None:
        self._ctx, self._policy, self._rows, self._stage = ctx, policy, rows, stage
        if speed.gradient_checkpointing:
            policy.recompute_activations()
        if optimizer.sharding is Sharding.FULL:
            ctx.facts(**shard_layers(policy.language_model.layers, ctx.ranks))
        self.plan = Plan(len(rows), seed, optimizer)
        self._engine = make_engine(policy.adapters.trainable(), optimizer)
        made_from = {"stage": stage, "seed": seed, "rows": len(rows), "dtype": str(policy.dtype), **made_from}
        self._checkpoints = Checkpoints(ctx.work / "checkpoints", made_from=made_from, every_steps=optimizer.checkpoint_every_steps)
        self.first_step, self.restored = self._checkpoints.restore(self._engine)
        """``restored``: the extra tensors of the checkpoint, empty at the beginning."""
        ctx.facts(resumed_from_step=str(self.first_step), **policy.adapters.attributes(), **optimization_attributes(speed, policy))

    def steps(self) -> Iterator[tuple[int, list[int]]]:
        """The steps still to do, each with the indices of its rows over all processes."""
        self._ctx.phase("training")
        for step in range(self.first_step, self.plan.num_steps):
            yield step, self.plan.rows(step)

    def micro_batches(self, indices: list[int], split: Callable[[list[Row]], list[_Group]]) -> list[tuple[_Group, float]]:
        """This process's share of a step's rows in groups, each with its weight in the step (Plan.micro_batches)."""
        return self.plan.micro_batches([self._rows[index] for index in indices], self._ctx.ranks, split)

    def backward(self, share: Tensor) -> None:
        """Adds the gradient of a share of the step's loss: a sum over some rows divided by the number of ALL the step's rows."""
        self._engine.backward(share)

    def update(self, step: int, metrics: Mapping[str, float], *, extra: Mapping[str, Tensor]) -> None:
        """Applies the step, reports it, and saves a checkpoint with ``extra`` when one is due. Stopped where a stop was asked for."""
        learning_rate = self.plan.learning_rate(step)
        norm = self._engine.update(learning_rate=learning_rate, step=step)
        for name, value in {**metrics, f"{self._stage}/learning_rate": learning_rate, f"{self._stage}/grad_norm": norm}.items():
            self._ctx.metric(name, step + 1, value)
        self._ctx.progress(step + 1, self.plan.num_steps, unit="steps")
        if self._checkpoints.is_due(step + 1) or self._ctx.stop_requested:
            self._checkpoints.commit(self._engine, next_step=step + 1, extra=dict(extra))
            self._ctx.check_stop()

    def publish(self, checkpoint: str, metadata: Mapping[str, str]) -> None:
        """The trained adapter as the stage's artifact; ``checkpoint`` is stage1 or stage2."""
        folder = self._ctx.work / "adapter"
        self._policy.adapters.save(folder, base_digest=metadata.get("model_digest", ""))
        self._ctx.publish_tree("adapter", folder, {**metadata, "checkpoint": checkpoint, "steps": str(self.plan.num_steps)})


def too_long(row: Row, policy: Policy, *, image_tokens: int, max_length: int, max_text_tokens: int) -> str:
    """Why a row is left out whole, since it is never cut; "" when it fits. Lengths are those of its longest conversation, tokens."""
    length = row.max_position
    whole = f"{length} tokens, {image_tokens} of them of the image"
    if length > policy.max_positions:
        return f"{whole}; the model takes {policy.max_positions}"
    if length > max_length:
        return f"{whole}; max_length is {max_length}"
    if 0 < max_text_tokens < length - image_tokens:
        return f"{length - image_tokens} tokens of text; max_text_tokens is {max_text_tokens}"
    return ""
