"""For tests: a real sidecar process on a free port, and a client that speaks to it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import json_format

from stic.common.v1 import common_pb2 as common
from stic.recipe.v1 import recipe_pb2
from stic.trainer.v1 import trainer_pb2 as pb
from stic.trainer.v1 import trainer_pb2_grpc
from stic_trainer.config.job import StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.data.records import to_json
from stic_trainer.runtime.jobfolder import JobFolder, ProcessId
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.testing import Gate, no_descriptions, text_rows
from stic_trainer.sidecar.environment import worker_environment

_T = TypeVar("_T")

TREES = frozenset({"adapter", "stage1", "stage2", "champion", "start"})


class Sidecar:
    """One sidecar process over ``folder``/state and ``folder``/store."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.state, self.store = folder / "state", folder / "store"
        self.ready_file, self._log = folder / "ready.json", folder / "sidecar.log"
        self._arguments = arguments
        self.start()

    def start(self) -> None:
        self.ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "stic_trainer", "sidecar", "--listen", "127.0.0.1:0", "--ready-file", str(self.ready_file)]
        command += ["--store", str(self.store), "--state", str(self.state), *self._arguments]
        environment = worker_environment() | {"STIC_THREADS": "1"}  # the machine has tests to run beside this one
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        eventually(lambda: self.ready_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self._log.read_text()
        self.port = int(self.ready()["port"])
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=[("grpc.enable_retries", 0)])
        self.stub = trainer_pb2_grpc.TrainerServiceStub(self.channel)

    def ready(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.ready_file.read_text())
        return fields

    def kill(self) -> None:
        """As a crash would: only the sidecar, at once."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.channel.close()

    def terminate(self) -> int:
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.channel.close()
        return code

    def close(self) -> None:
        """Ends the sidecar and every worker left."""
        if self.process.poll() is None:
            self.kill()
        for path in (self.state / "jobs").glob("*/pid"):
            worker = ProcessId.read(path)
            if worker is not None and worker.alive():
                os.killpg(worker.pid, signal.SIGKILL)

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder(self.state / "jobs" / job_id)

    def worker(self, job_id: str) -> ProcessId:
        """The job's worker, once it has said that it runs: the first one waits for the libraries."""
        eventually(lambda: ProcessId.read(self.folder(job_id).pid) is not None, timeout=90)
        found = ProcessId.read(self.folder(job_id).pid)
        assert found is not None
        return found

    def events(self, job_id: str, after_seq: int = 0, timeout: float = 60) -> list[pb.JobEvent]:
        """All events up to the terminal one."""
        return list(self.stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_seq=after_seq), timeout=timeout))

    def follow(self, job_id: str, after_seq: int = 0, timeout: float = 60) -> Iterator[pb.JobEvent]:
        stream: Iterator[pb.JobEvent] = self.stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_seq=after_seq), timeout=timeout)
        return stream

    def import_dataset(self, kind: common.DatasetKind, source: Path, image_root: str = "") -> list[pb.ImportDatasetEvent]:
        request = pb.ImportDatasetRequest(kind=kind, source=str(source), image_root=image_root)
        return list(self.stub.ImportDataset(request, timeout=60))


def request_for(
    job_id: str,
    kind: StageKind,
    inputs: Sequence[tuple[str, str] | tuple[str, str, str]],
    *,
    overrides: dict[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    resume_from: str = "",
) -> pb.SubmitJobRequest:
    """A job on preset tiny; an input is (role, sha256) or (role, sha256, name)."""
    recipe = json_format.ParseDict(to_json(load_recipe("tiny", overrides)), recipe_pb2.Recipe())
    request = pb.SubmitJobRequest(
        job_id=job_id,
        run_id="run",
        kind=f"STAGE_KIND_{kind.name}",
        recipe=recipe,
        resume_from_job_id=resume_from,
    )
    for role, sha256, *name in inputs:
        artifact = common.ARTIFACT_KIND_TREE if role in TREES else common.ARTIFACT_KIND_BLOB
        request.inputs.add(role=role, sha256=sha256, name=name[0] if name else "", kind=artifact, metadata=metadata or {})
    return request


class Jobs:
    """Submits jobs of stage infuse, which needs no model, under names that begin with ``test``."""

    def __init__(self, sidecar: Sidecar, test: str = "job") -> None:
        self.store = Store(sidecar.store)
        self._sidecar = sidecar
        self._test = test
        self._gates = 0

    def request(self, name: str, descriptions: str = "") -> pb.SubmitJobRequest:
        inputs = [("instructions", text_rows(self.store)), ("descriptions", descriptions or no_descriptions(self.store))]
        return request_for(f"{self._test}-{name}", StageKind.INFUSE, inputs)

    def submit(self, name: str, descriptions: str = "") -> str:
        request = self.request(name, descriptions)
        assert self._sidecar.stub.SubmitJob(request).created
        return request.job_id

    def gate(self) -> Gate:
        self._gates += 1
        return Gate(self.store, hashlib.sha256(f"{self._test} {self._gates}".encode()).hexdigest())

    def held(self, name: str, gate: Gate) -> str:
        """A job that has start_adapter and waits for the gate."""
        job_id = self.submit(name, gate.sha256)
        for event in self._sidecar.follow(job_id):
            if event.progress.phase == "infusing descriptions":
                break
        return job_id


def states(events: Sequence[pb.JobEvent]) -> list[str]:
    """The states in order, repeated ones once: ["QUEUED", "RUNNING", ...]."""
    names = [common.JobState.Name(event.state.state).removeprefix("JOB_STATE_") for event in events if event.HasField("state")]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    """Status and words of the error that a call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("the call was not refused")


def eventually(condition: Callable[[], _T], timeout: float = 20.0) -> _T:
    """The first true value of ``condition``; AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return value
