"""The rpcs of stic.trainer.v1.TrainerService; each is a thin door to supervisor, journal, models or import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import grpc

from stic.common.v1 import common_pb2 as common
from stic.recipe.v1 import recipe_pb2
from stic.trainer.v1 import trainer_pb2 as pb
from stic.trainer.v1 import trainer_pb2_grpc
from stic_trainer.errors import StageError
from stic_trainer.runtime.jobfolder import JobFolder, is_job_id
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar import host
from stic_trainer.sidecar.adapters import import_adapter
from stic_trainer.sidecar.estimates import Estimates
from stic_trainer.sidecar.exports import run_export
from stic_trainer.sidecar.imports import run_import
from stic_trainer.sidecar.inspection import Inspections
from stic_trainer.sidecar.models import ModelFiles, Models
from stic_trainer.sidecar.supervisor import OtherContent, Supervisor
from stic_trainer.sidecar.watch import watch

_STATUS = {"DISK_FULL": grpc.StatusCode.RESOURCE_EXHAUSTED, "INTERNAL": grpc.StatusCode.INTERNAL}

Context = Any
"""grpc.aio.ServicerContext, which the generated stubs leave untyped."""


@dataclass
class Host:
    """Facts of the machine, found at start."""

    name: str
    labels: dict[str, str]
    accelerator: host.Accelerator = host.NOT_KNOWN_YET
    version: str = field(default_factory=host.package_version)
    versions: dict[str, str] = field(default_factory=host.versions)
    cpu_count: int = field(default_factory=host.cpu_count)
    memory_bytes: int = field(default_factory=host.memory_bytes)


class TrainerService(trainer_pb2_grpc.TrainerServiceServicer):
    def __init__(
        self,
        *,
        host_facts: Host,
        supervisor: Supervisor,
        store: Store,
        models: Models,
        inspections: Inspections,
        estimates: Estimates,
        import_log: Path,
    ) -> None:
        self._host = host_facts
        self._supervisor = supervisor
        self._store = store
        self._store_id = store.id()
        self._models = models
        self._inspections = inspections
        self._estimates = estimates
        self._import_log = import_log

    async def GetInfo(self, request: pb.GetInfoRequest, context: Context) -> pb.GetInfoResponse:
        facts = self._host
        return pb.GetInfoResponse(
            name=facts.name,
            version=facts.version,
            device=facts.accelerator.device,
            dtype=facts.accelerator.dtype,
            store_id=self._store_id,
            capacity=self._supervisor.capacity,
            active_job_ids=self._supervisor.active_ids(),
            versions=facts.versions,
            cpu_count=facts.cpu_count,
            memory_bytes=facts.memory_bytes,
            labels=facts.labels,
            gpu_memory_bytes=facts.accelerator.memory_bytes,
        )

    async def InspectModel(self, request: pb.InspectModelRequest, context: Context) -> pb.InspectModelResponse:
        try:
            files = await asyncio.to_thread(self._models.inspect, request.path)
            report = await self._inspections.report(files.folder, files.digest)
        except StageError as error:
            await _abort(context, error)
        return pb.InspectModelResponse(model=_model_spec(request.path, files), bytes=files.bytes, **report)

    async def EstimateRun(self, request: pb.EstimateRunRequest, context: Context) -> common.EstimateRunResponse:
        gpu_bytes = self._host.accelerator.memory_bytes
        try:
            return await self._estimates.estimate(request, on_gpu=gpu_bytes > 0, memory_bytes=gpu_bytes or self._host.memory_bytes)
        except StageError as error:
            await _abort(context, error)

    async def SubmitJob(self, request: pb.SubmitJobRequest, context: Context) -> pb.SubmitJobResponse:
        for name in ("job_id", "resume_from_job_id"):
            value = getattr(request, name)
            if not is_job_id(value) and (value or name == "job_id"):
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{name} {value!r} is not letters, digits, '.', '_', '-' (up to 128)")
        if request.kind == recipe_pb2.STAGE_KIND_UNSPECIFIED:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "kind is not set")
        if self._supervisor.closing:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the trainer is stopping")
        try:
            return pb.SubmitJobResponse(created=self._supervisor.submit(request))
        except OtherContent:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, f"job {request.job_id} exists with another content")
        except OSError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the job cannot be written to disk: {error}")
        raise AssertionError("abort raises")

    async def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> AsyncIterator[pb.JobEvent]:
        folder = await self._known(request.job_id, context)
        async with aclosing(watch(folder.events, request.after_seq)) as events:  # type: ignore[type-var]
            async for event in events:
                yield event

    async def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        self._supervisor.cancel(await self._known(request.job_id, context))
        return pb.CancelJobResponse()

    async def ImportDataset(self, request: pb.ImportDatasetRequest, context: Context) -> AsyncIterator[pb.ImportDatasetEvent]:
        try:
            async with aclosing(run_import(request, self._store.root, self._import_log)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event
        except StageError as error:
            await _abort(context, error)

    async def ImportAdapter(self, request: pb.ImportAdapterRequest, context: Context) -> pb.ImportAdapterResponse:
        try:
            adapter = await asyncio.to_thread(import_adapter, request.path, request.model_path, self._models, self._store)
        except StageError as error:
            await _abort(context, error)
        shape = adapter.shape
        return pb.ImportAdapterResponse(
            adapter_sha256=adapter.sha256,
            bytes=adapter.bytes,
            model=_model_spec(request.model_path, adapter.model),
            lora=recipe_pb2.LoraConfig(rank=shape.rank, alpha=shape.alpha, dropout=shape.dropout, target_modules=shape.target_modules),
        )

    async def ExportCheckpoint(self, request: pb.ExportCheckpointRequest, context: Context) -> AsyncIterator[pb.ExportCheckpointEvent]:
        try:
            async with aclosing(run_export(request, self._store, self._models, self._import_log)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event
        except StageError as error:
            await _abort(context, error)

    async def _known(self, job_id: str, context: Context) -> JobFolder:
        folder = self._supervisor.find(job_id) if is_job_id(job_id) else None
        if folder is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"this trainer has no job {job_id!r}")
            raise AssertionError("abort raises")
        return folder


def _model_spec(path: str, facts: ModelFiles) -> recipe_pb2.ModelSpec:
    return recipe_pb2.ModelSpec(path=path, digest=facts.digest, architecture=facts.architecture, template_hash=facts.template_hash)


async def _abort(context: Context, error: StageError) -> NoReturn:
    """Ends the call with the error in words; its code travels in the trailing metadata ``stic-error-code``."""
    text = f"{error.subject}: {error.message}" if error.subject else error.message
    status = _STATUS.get(error.code, grpc.StatusCode.INVALID_ARGUMENT)
    await context.abort(status, f"{text}. {error.hint}" if error.hint else text, (("stic-error-code", error.code),))
    raise AssertionError("abort raises")
