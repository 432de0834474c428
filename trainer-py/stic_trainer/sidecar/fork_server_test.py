"""The fork server: jobs and inspections begin with their libraries loaded, each in a process of its own, and nothing stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import StageKind
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.testing import Gate
from stic_trainer.sidecar.testing import Sidecar, eventually, request_for, states

WHOLE = ["QUEUED", "RUNNING", "FAILED"]


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    running = Sidecar(tmp_path_factory.mktemp("sidecar"), "--capacity", "2")
    yield running
    running.close()


def _fork_servers(sidecar: Sidecar) -> list[psutil.Process]:
    children = psutil.Process(sidecar.process.pid).children()
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE and "fork-server" in child.cmdline()]


def _work(sidecar: Sidecar, job_id: str) -> list[pb.JobEvent]:
    """A job that needs torch and ends at once: the store does not hold its input."""
    sidecar.stub.SubmitJob(request_for(job_id, StageKind.PREFER, [("images", "0" * 64)]), timeout=30)
    return sidecar.events(job_id, timeout=90)


def _inspect(sidecar: Sidecar, path: str) -> pb.InspectModelResponse:
    response: pb.InspectModelResponse = sidecar.stub.InspectModel(pb.InspectModelRequest(path=path), timeout=180)
    return response


def _worker_of(events: list[pb.JobEvent]) -> int:
    return next(int(event.state.facts["pid"]) for event in events if "pid" in event.state.facts)


def test_jobs_and_inspections_are_forked_from_one_process(sidecar: Sidecar) -> None:
    assert _fork_servers(sidecar) == []
    assert _inspect(sidecar, "embedded:world").parameters > 0
    [server] = _fork_servers(sidecar)
    first, second = _work(sidecar, "first"), _work(sidecar, "second")
    assert states(first) == states(second) == WHOLE
    assert first[-1].state.error.code == second[-1].state.error.code == "DATA_INVALID"
    assert len({server.pid, _worker_of(first), _worker_of(second)}) == 3
    assert _fork_servers(sidecar) == [server]
    assert "DATA_INVALID" not in (sidecar.state / "commands/fork-server.log").read_text()
    assert "Traceback" in sidecar.folder("second").log.read_text()
    eventually(lambda: server.children() == [])


def test_jobs_outlive_their_fork_server_are_still_looked_after_and_the_next_job_gets_another(sidecar: Sidecar) -> None:
    gates = {name: Gate(Store(sidecar.store), name * 64) for name in "ab"}
    for name, gate in gates.items():
        sidecar.stub.SubmitJob(request_for(name, StageKind.PREFER, [("images", gate.sha256)]), timeout=30)
    workers = {name: sidecar.worker(name) for name in gates}
    assert all(os.getsid(worker.pid) == worker.pid for worker in workers.values())
    [server] = _fork_servers(sidecar)
    assert server.num_threads() == 1  # a fork copies only one
    server.kill()
    eventually(lambda: _fork_servers(sidecar) == [])
    os.kill(workers["a"].pid, signal.SIGKILL)
    lost = sidecar.events("a")[-1].state
    assert (lost.state, lost.error.code, lost.error.transient) == (pb.JOB_STATE_LOST, "WORKER_LOST", True)
    gates["b"].open()
    assert states(sidecar.events("b")) == WHOLE
    assert states(_work(sidecar, "after")) == WHOLE
    [next_one] = _fork_servers(sidecar)
    assert next_one.pid != server.pid


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_fork_server_does_not_outlive_its_sidecar(sidecar: Sidecar, by: signal.Signals) -> None:
    _work(sidecar, f"job-{by}")
    [server] = _fork_servers(sidecar)
    os.kill(sidecar.process.pid, by)
    sidecar.process.wait(timeout=30)
    eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, timeout=60)
    sidecar.start()
