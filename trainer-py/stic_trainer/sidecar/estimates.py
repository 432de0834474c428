"""EstimateRun: a process of its own measures with the model's processor; what it found is kept, and the arithmetic is done here."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from pathlib import Path

from google.protobuf import json_format

from stic.common.v1 import common_pb2 as common
from stic.recipe.v1 import recipe_pb2
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import Job, Recipe, parse_job
from stic_trainer.decode import decode
from stic_trainer.preflight.estimate import Spread, StageEstimate, estimate
from stic_trainer.preflight.lengths import Lengths
from stic_trainer.preflight.memory import CPU, CPU_MAPPED, GPU, Device, maps_tensors
from stic_trainer.sidecar.environment import worker_environment
from stic_trainer.sidecar.fork_server import ForkServer

_KEPT = 64
_SECONDS = 120.0


class Estimates:
    """Answers EstimateRun. Measurements are kept by what they depend on, and made once where several ask at the same time."""

    def __init__(self, store: Path, fork_server: ForkServer) -> None:
        self._store, self._fork_server = store, fork_server
        self._measured: OrderedDict[str, asyncio.Task[Lengths]] = OrderedDict()

    async def estimate(self, request: pb.EstimateRunRequest, *, on_gpu: bool, memory_bytes: int) -> common.EstimateRunResponse:
        """StageError where the request, the model or a manifest cannot be read."""
        fields = json_format.MessageToDict(
            pb.SubmitJobRequest(job_id="preflight", run_id="preflight", kind=recipe_pb2.STAGE_KIND_PREFER),
            preserving_proto_field_name=True,
        )
        asked = json_format.MessageToDict(request, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        job = parse_job({**fields, **asked})
        lengths = await self._lengths(job, json.dumps({**fields, **asked}))
        device = GPU if on_gpu else CPU_MAPPED if maps_tensors(worker_environment()) else CPU
        return _response(job.recipe, lengths, device, memory_bytes, starts_from_adapter=bool(job.inputs_of("start")))

    async def _lengths(self, job: Job, text: str) -> Lengths:
        key = _key(job)
        task = self._measured.get(key)
        if task is None:
            task = self._measured[key] = asyncio.create_task(self._measure(text))
            if len(self._measured) > _KEPT:
                self._measured.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except BaseException:
            if task.done() and self._measured.get(key) is task:
                del self._measured[key]  # what was missing may be there the next time
            raise

    async def _measure(self, text: str) -> Lengths:
        fields = await self._fork_server.ask("preflight", "--store", str(self._store), text=text, subject="", seconds=_SECONDS)
        return decode(Lengths, fields["lengths"])


def _key(job: Job) -> str:
    """Of all that preflight/measure.py reads."""
    recipe = job.recipe
    read = {
        "model": [recipe.model.path, recipe.model.digest],
        "inputs": [[item.role, item.name, item.sha256] for item in job.inputs if item.role in ("images", "instructions", "benchmark")],
        "prompts": [recipe.prompts.step_by_step, recipe.prompts.plain, recipe.prompts.misleading, recipe.prompts.describe_and_respond],
        "drawn": [recipe.seed, recipe.prefer.max_images, recipe.describe.max_rows, recipe.evaluate.max_items],
        "pairs": [recipe.prefer.corrupted_probability, [each.weight for each in recipe.prefer.corruptions], recipe.dpo.omit_image],
        "texts": [recipe.infuse.template, recipe.dpo.lora.target_modules],
    }
    return hashlib.sha256(json.dumps(read).encode()).hexdigest()


def _response(
    recipe: Recipe, lengths: Lengths, device: Device, memory_bytes: int, *, starts_from_adapter: bool
) -> common.EstimateRunResponse:
    stages = estimate(recipe, lengths, device, starts_from_adapter=starts_from_adapter)
    images = [item.image for item in lengths.images]
    pictured = [row.image for row in lengths.rows if row.image]
    inputs = [common.InputEstimate(role="images", items=lengths.num_images, sampled=len(images), image_tokens=_spread(Spread.of(images)))]
    if lengths.num_rows:
        tokens = _spread(Spread.of(pictured))
        inputs.append(common.InputEstimate(role="instructions", items=lengths.num_rows, sampled=len(lengths.rows), image_tokens=tokens))
    return common.EstimateRunResponse(
        inputs=inputs,
        stages=[_stage(stage) for stage in stages],
        max_positions=lengths.model.max_positions,
        memory_bytes=memory_bytes,
    )


def _stage(stage: StageEstimate) -> common.StageEstimate:
    return common.StageEstimate(
        kind=f"STAGE_KIND_{stage.kind.upper()}",
        rows=stage.rows,
        sampled=stage.sampled,
        shortest=_spread(stage.shortest),
        longest=_spread(stage.longest),
        always_too_long=stage.always_too_long,
        possibly_too_long=stage.possibly_too_long,
        limit_field=stage.limit.field if stage.limit else "",
        limit=stage.limit.tokens if stage.limit else 0,
        longest_excess=stage.longest_excess,
        memory_bytes=sum(stage.memory.values()),
        memory=[common.MemoryPart(name=name, bytes=size) for name, size in stage.memory.items()],
    )


def _spread(spread: Spread | None) -> common.Spread | None:
    return None if spread is None else common.Spread(min=spread.min, median=spread.median, max=spread.max)
