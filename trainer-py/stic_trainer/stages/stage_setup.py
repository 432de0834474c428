"""What every stage with a model begins with: meet the job's other processes, load the model, refuse another chat template."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch

from stic_trainer.config.job import Job, JobInput, SpeedConfig
from stic_trainer.engine.distributed import join_process_group
from stic_trainer.errors import StageError
from stic_trainer.modeling.adapters import model_name
from stic_trainer.modeling.canary import adapter_effect
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import Row
from stic_trainer.runtime.context import StageContext


def open_policy(job: Job, ctx: StageContext) -> Policy:
    """The run's base model. StageError TEMPLATE_MISMATCH when recipe, inputs and model disagree about the chat template."""
    ctx.phase("loading model")
    ctx.ranks = join_process_group()
    ctx.ranks.all_gather(None)  # no process reads the work folder before rank 0 has copied earlier work
    spec = job.recipe.model
    policy = load_policy(ctx.model_path(spec), name=model_name(spec.path))
    for warning in policy.chat.warnings:
        ctx.log(warning, "warning")
    policy.vision.reuse = job.recipe.speed.reuse_image_features
    for where, wanted in _template_hashes(job).items():
        if wanted != policy.chat.template_hash:
            raise StageError(
                "TEMPLATE_MISMATCH",
                f"{where} was made with chat template {wanted[:12]}, the model has {policy.chat.template_hash[:12]}",
                where,
                "generation, training and evaluation must use one chat template; restore the model's or start a new run",
            )
    ctx.facts(
        device=_device_name(policy.device),
        dtype=str(policy.dtype).removeprefix("torch."),
        architecture=policy.family.architecture,
        attention="sdpa",
        image_backend="pil",
        template_hash=policy.chat.template_hash,
        torch_threads=str(torch.get_num_threads()),
    )
    return policy


def optimization_attributes(speed: SpeedConfig, policy: Policy) -> dict[str, str]:
    """What makes this training faster or smaller, for the run's record."""
    can = {"share_prefix": policy.family.shares_prefix, "pack_rows": policy.family.packs, "attend_by_blocks": policy.by_blocks}
    on = [name for name, value in dataclasses.asdict(speed).items() if value and can.get(name, True)]
    return {"optimizations": ", ".join(on) or "none"}


def load_adapter(
    policy: Policy,
    ctx: StageContext,
    adapter: JobInput,
    rows: Iterable[Row],
    *,
    subject: str,
    name: str = "default",
    trainable: bool = False,
) -> None:
    """An adapter that the stage trusts, in use from now on, once it has changed what the model makes of some of the stage's ``rows``.

    subject: start | stage1 | stage2 | champion. Reports the change as the attribute adapter_effect_<subject>, nats a token.
    """
    policy.adapters.load(ctx.store.tree(adapter.sha256), name=name, trainable=trainable)
    effect = adapter_effect(policy, rows, name=f"{subject} {adapter.sha256[:12]}")
    ctx.facts(**{f"adapter_effect_{subject}": f"{effect:.3g} nats a token"})


def load_start_adapter(policy: Policy, job: Job, ctx: StageContext, rows: Iterable[Row], *, trainable: bool = False) -> JobInput | None:
    """The adapter the run starts from, in use from now on; None when the run starts from the base model."""
    start = job.optional_input("start")
    if start is not None:
        load_adapter(policy, ctx, start, rows, subject="start", trainable=trainable)
    return start


def metadata(policy: Policy, job: Job) -> dict[str, str]:
    """What every artifact of generated or trained content carries."""
    facts = {"template_hash": policy.chat.template_hash, "model_digest": job.recipe.model.digest, "recipe_seed": str(job.recipe.seed)}
    return {name: value for name, value in facts.items() if value}


def _template_hashes(job: Job) -> dict[str, str]:
    hashes = {f"input {item.role}": item.metadata.get("template_hash", "") for item in job.inputs}
    return {where: value for where, value in (hashes | {"the recipe": job.recipe.model.template_hash}).items() if value}


def _device_name(device: torch.device) -> str:
    return "cpu" if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
