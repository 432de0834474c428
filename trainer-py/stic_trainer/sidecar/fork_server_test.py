"""The fork server: jobs and inspections begin with their libraries loaded, each in a process of its own, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stic.common.v1 import common_pb2 as common
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import StageKind
from stic_trainer.errors import StageError
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.testing import Gate
from stic_trainer.sidecar.fork_server import ForkServer
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
    assert (lost.state, lost.error.code, lost.error.transient) == (common.JOB_STATE_LOST, "WORKER_LOST", True)
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


def test_a_command_is_answered_or_says_what_went_wrong(tmp_path: Path) -> None:
    fork_server = ForkServer(tmp_path / "commands")
    waits = tmp_path / "waits"
    waits.mkdir()
    os.mkfifo(waits / "benchmark.json")  # whoever reads it waits
    (waits / "items.jsonl").touch()
    reading = ("import", "benchmark", str(waits), "--store", str(tmp_path / "store"))

    async def failure(*arguments: str, seconds: float = 90) -> str:
        with pytest.raises(StageError) as caught:
            await fork_server.ask(*arguments, subject="it", seconds=seconds)
        return f"{caught.value.code}: {caught.value.message}"

    async def ask_all() -> list[str]:
        return [await failure("inspect", str(tmp_path)), await failure("nonsense"), await failure(*reading, seconds=1)]

    try:
        refused, senseless, slow = asyncio.run(ask_all())
        assert refused.startswith("MODEL_INVALID: it has no weights")
        assert senseless == "INTERNAL: the command nonsense ended with exit code 2 and no result"
        assert "invalid choice: 'nonsense'" in fork_server.log.read_text()
        assert slow == "INTERNAL: the command import was ended after 1 s"
        [server] = [child for child in psutil.Process().children() if "fork-server" in child.cmdline()]
        eventually(lambda: server.children() == [])
        assert [path.name for path in (tmp_path / "commands").iterdir()] == ["fork-server.log"]
    finally:
        fork_server.close()


def test_without_libraries_a_command_fails_and_a_job_is_started_in_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    fork_server = ForkServer(tmp_path)
    with pytest.raises(StageError, match="ended with exit code None and no result"):
        asyncio.run(fork_server.ask("inspect", "folder", subject="folder", seconds=60))
    eventually(lambda: not fork_server.is_loading())
    assert fork_server.fork(["worker"], output=tmp_path / "log", log=tmp_path / "log") is None
