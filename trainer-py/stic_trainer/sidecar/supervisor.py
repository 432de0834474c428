"""One worker process per job: started in order, watched, stopped, adopted after a restart, and never lost silently.

The supervisor has no state of its own: job folders say everything, so a killed sidecar's successor goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from google.protobuf import json_format

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.runtime.jobfolder import JobFolder, ProcessId
from stic_trainer.runtime.journal import TERMINAL, Journal, JournalBusy, last_event
from stic_trainer.runtime.launch import can_be_forked, worker_arguments, worker_command
from stic_trainer.runtime.store import sync_folder
from stic_trainer.runtime.worker import STOPPED_ERROR
from stic_trainer.sidecar.environment import worker_environment
from stic_trainer.sidecar.fork_server import Child, ForkServer

POLL_SECONDS = 0.1
TROUBLE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class OtherContent(Exception):
    """The job id is known with another content."""


@dataclass
class Worker:
    """A worker process: started by us or by our fork server, or (``process`` None) by an earlier one of these."""

    folder: JobFolder
    process: subprocess.Popen[bytes] | Child | None
    adopted: ProcessId | None = None
    kill_at: float | None = None
    """Monotonic time of the SIGKILL, once a stop was asked for."""
    killed: bool = False

    @property
    def pid(self) -> int:
        if self.process is not None:
            return self.process.pid
        assert self.adopted is not None
        return self.adopted.pid

    def alive(self) -> bool:
        if isinstance(self.process, Child) and self.process.orphaned:
            self.adopted, self.process = self.process.identity, None
        if self.process is not None:
            return self.process.poll() is None
        return self.adopted is not None and self.adopted.alive()

    def ask_to_stop(self, grace_seconds: float) -> None:
        if self.kill_at is None and self.alive():
            self.kill_at = time.monotonic() + grace_seconds
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends the worker and everything it started, also what has a session of its own."""
        if self.process is None and self.adopted is None:
            return
        self.killed = True
        started: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            started = psutil.Process(self.pid).children(recursive=True)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


class Supervisor:
    def __init__(
        self, *, jobs: Path, store: Path, fork_server: ForkServer, capacity: int, grace_seconds: float, processes: int = 1
    ) -> None:
        self.capacity = capacity
        self._processes = processes
        self._jobs = jobs
        self._store = store
        self._fork_server = fork_server
        self._grace = grace_seconds
        self._queue: list[JobFolder] = []
        self._running: dict[str, Worker] = {}
        self._wake = asyncio.Event()
        self._closing = False
        jobs.mkdir(parents=True, exist_ok=True)

    @property
    def closing(self) -> bool:
        return self._closing

    def active_ids(self) -> list[str]:
        return [*self._running, *(folder.job_id for folder in self._queue)]

    def find(self, job_id: str) -> JobFolder | None:
        folder = JobFolder(self._jobs / job_id)
        return folder if folder.events.exists() else None

    def submit(self, request: pb.SubmitJobRequest) -> bool:
        """False when the job is known with the same content; OtherContent when with another."""
        known = self.find(request.job_id)
        if known is not None:
            if pb.SubmitJobRequest.FromString(known.request.read_bytes()) != request:
                raise OtherContent(request.job_id)
            return False
        self._queue.append(_create(self._jobs, request))
        self._wake.set()
        return True

    def cancel(self, folder: JobFolder) -> None:
        """Ends a waiting job at once, asks a running one to stop, leaves an ended one alone."""
        if folder.job_id not in self.active_ids():
            return
        folder.cancel.touch()
        if folder in self._queue:
            self._queue.remove(folder)
            try:
                _append_state(folder, {"state": "JOB_STATE_CANCELLED"})
            except JournalBusy:  # a worker that an earlier sidecar started has just come up
                self._running[folder.job_id] = Worker(folder, None)
        else:
            self._running[folder.job_id].ask_to_stop(self._grace)
        self._wake.set()

    def recover(self) -> None:
        """Takes over what an earlier sidecar left: adopts living workers, closes the jobs of vanished ones, queues the rest."""
        waiting = []
        for path in self._jobs.iterdir():
            folder = JobFolder(path)
            if path.name.startswith("."):
                shutil.rmtree(path, ignore_errors=True)
                continue
            if not folder.request.is_file():
                continue
            try:
                event, _ = last_event(folder.events)
            except ValueError:
                _log.error("job %s: its journal is damaged; the job is left alone", folder.job_id)
                continue
            if event.get("state", {}).get("state") in TERMINAL:
                continue
            worker = ProcessId.read(folder.pid)
            if worker is None and not folder.cancel.exists():
                waiting.append((folder.request.stat().st_mtime_ns, folder))
                continue
            self._running[folder.job_id] = Worker(folder, None, worker)
            if folder.cancel.exists():
                self._running[folder.job_id].ask_to_stop(self._grace)
            _log.info("job %s: took over its worker", folder.job_id)
        self._queue = [folder for _, folder in sorted(waiting, key=lambda item: item[0])]

    async def run(self) -> None:
        """Looks after the workers until ``shut_down`` has ended them all."""
        while True:
            wait = POLL_SECONDS
            try:
                self._tick()
            except Exception:  # no process to be had, a disk that fails: one job's trouble, tried again
                _log.exception("looking after the workers failed")
                wait = TROUBLE_SECONDS
            if self._closing and not self._running:
                return
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait if self._running or self._queue else None)

    def shut_down(self) -> None:
        """Asks every worker to stop; waiting jobs stay queued for the next sidecar."""
        self._closing = True
        for worker in self._running.values():
            worker.ask_to_stop(self._grace)
        self._wake.set()

    def _tick(self) -> None:
        for worker in list(self._running.values()):
            if worker.alive():
                if worker.kill_at is not None and time.monotonic() >= worker.kill_at:
                    worker.kill()
            elif self._close(worker):
                del self._running[worker.folder.job_id]
        while self._queue and len(self._running) < self.capacity and not self._closing:
            folder = self._queue[0]
            started = self._start(folder)
            if started is None:
                return
            self._running[folder.job_id] = started
            self._queue.pop(0)

    def _start(self, folder: JobFolder) -> Worker | None:
        """None while the libraries that the job needs are being loaded."""
        process: subprocess.Popen[bytes] | Child | None = None
        if can_be_forked(folder, processes=self._processes):
            if self._fork_server.is_loading():
                return None
            process = self._fork_server.fork(worker_arguments(folder, self._store), output=folder.log, log=folder.log)
        if process is None:
            command = worker_command(folder, self._store, processes=self._processes)
            with open(folder.log, "ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env=worker_environment(),
                )
        _log.info("job %s: worker %d started", folder.job_id, process.pid)
        return Worker(folder, process)

    def _close(self, worker: Worker) -> bool:
        """Makes sure the journal of a gone worker ends with a terminal state; False to try again."""
        folder = worker.folder
        code = worker.process.returncode if worker.process is not None else None
        if self._hand_over(worker):
            return False
        try:
            state = _append_state(folder, _ending(worker, code, self._closing))
        except JournalBusy:
            worker.kill()  # a child of the gone worker still holds the journal
            return False
        except OSError as error:
            _log.error("job %s: its end cannot be written yet: %s", folder.job_id, error)
            return False
        _log.info("job %s: %s", folder.job_id, state)
        return True

    def _hand_over(self, worker: Worker) -> bool:
        """Whether the job is another process's, started by an earlier sidecar, which is looked after from now on."""
        other = ProcessId.read(worker.folder.pid)
        if other is None or not other.alive():
            return False
        worker.process, worker.adopted, worker.kill_at = None, other, None
        if worker.folder.cancel.exists():
            worker.ask_to_stop(self._grace)
        return True


def _create(jobs: Path, request: pb.SubmitJobRequest) -> JobFolder:
    """The job's folder, complete or absent: written aside, synced, renamed."""
    draft = JobFolder(jobs / f".{request.job_id}")
    shutil.rmtree(draft.path, ignore_errors=True)
    draft.path.mkdir()
    fields = json_format.MessageToJson(
        request, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, ensure_ascii=False
    )
    for path, data in ((draft.request, request.SerializeToString()), (draft.job, fields.encode())):
        with open(path, "wb") as file:
            file.write(data)
            os.fsync(file.fileno())
    _append_state(draft, {"state": "JOB_STATE_QUEUED"})
    sync_folder(draft.path)
    folder = JobFolder(jobs / request.job_id)
    draft.path.rename(folder.path)
    sync_folder(jobs)
    return folder


def _append_state(folder: JobFolder, state: dict[str, Any]) -> str:
    """Appends a state unless the journal is closed already; the state it ends with."""
    journal = Journal(folder.events)
    try:
        if not journal.terminal:
            journal.append("state", state, durable=True)
            return str(state["state"])
    finally:
        journal.close()
    event, _ = last_event(folder.events)
    return str(event["state"]["state"])


def _ending(worker: Worker, code: int | None, closing: bool) -> dict[str, Any]:
    """What to say of a worker that ended without saying anything."""
    if worker.folder.cancel.exists():
        return {"state": "JOB_STATE_CANCELLED"}
    if worker.killed and closing:
        error = STOPPED_ERROR | {"message": "the trainer was stopped before the worker could save its work"}
        return {"state": "JOB_STATE_LOST", "error": error}
    error = {
        "code": "WORKER_LOST",
        "subject": str(worker.folder.log),
        "hint": "A new attempt resumes from the last checkpoint.",
        "transient": True,
    }
    if code is None:
        error["message"] = "the worker process vanished while no sidecar was watching it"
    elif code == -signal.SIGKILL:
        error["message"] = "the worker process was killed (signal 9)"
        error["hint"] = "Most often the system ran out of memory: lower max_batch_tokens or max_micro_batch_tokens if it happens again."
    elif code < 0:
        error["message"] = f"the worker process was ended by {signal.Signals(-code).name}"
    else:
        error["message"] = f"worker exited with code {code} before reporting an error: {_last_words(worker.folder.log)}"
    return {"state": "JOB_STATE_LOST", "error": error}


def _last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text("utf-8", "replace").strip().splitlines()
        if lines:
            return lines[-1][:300]
    return "its log is empty"
