"""What every stage with a model begins with: load it, and refuse to go on with another chat template than the run's."""

from __future__ import annotations

import torch

from stic_trainer.config.job import Job, JobInput
from stic_trainer.errors import StageError
from stic_trainer.modeling.policy import Policy, load_policy
from stic_trainer.runtime.context import StageContext


def open_policy(job: Job, ctx: StageContext) -> Policy:
    """The run's base model. StageError TEMPLATE_MISMATCH when recipe, inputs and model disagree about the chat template."""
    ctx.phase("loading model")
    spec = job.recipe.model
    policy = load_policy(ctx.model_path(spec))
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


def metadata(policy: Policy, job: Job) -> dict[str, str]:
    """What every artifact of generated or trained content carries."""
    facts = {"template_hash": policy.chat.template_hash, "model_digest": job.recipe.model.digest, "recipe_seed": str(job.recipe.seed)}
    return {name: value for name, value in facts.items() if value}


class Skips:
    """Items left out by a stage, reported as they happen, and the bound on the share that could not be used.

    A pair with equal sides is left out too but does not count against the bound: nothing is wrong with its image.
    """

    def __init__(self, ctx: StageContext, *, total: int, source: JobInput | None = None, max_fraction: float = 1.0) -> None:
        self._ctx = ctx
        self._total = total
        self._max = max_fraction
        refused = int(source.metadata.get("skipped", "0")) if source else 0
        listed = int(source.metadata.get("total", "0")) if source else 0
        self._refused_share = refused / max(1, listed, refused + total) if refused else 0.0
        self._names: set[str] = set()
        self._unusable = 0
        self.check()

    def add(self, name: str, code: str, reason: str) -> None:
        if name not in self._names:
            self._names.add(name)
            self._unusable += code != "EQUAL_SIDES"
            self._ctx.skip(name, code, reason)

    def check(self) -> None:
        """StageError TOO_MANY_SKIPPED once the share left out, here and at import, is above the bound."""
        share = self._refused_share + self._unusable / max(1, self._total)
        if share > self._max:
            raise StageError(
                "TOO_MANY_SKIPPED",
                f"{share:.1%} of the items could not be used; the recipe allows {self._max:.1%}",
                "max_skipped_fraction",
                "look at the skipped items: fix the images, or raise max_skipped_fraction",
            )


def _template_hashes(job: Job) -> dict[str, str]:
    hashes = {f"input {item.role}": item.metadata.get("template_hash", "") for item in job.inputs}
    return {where: value for where, value in (hashes | {"the recipe": job.recipe.model.template_hash}).items() if value}


def _device_name(device: torch.device) -> str:
    return "cpu" if device.type == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"
