"""The warm worker: a second job gets a process that has its libraries loaded, and nothing stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import StageKind
from stic_trainer.sidecar.testing import Sidecar, eventually, request_for, states

WHOLE = ["QUEUED", "RUNNING", "FAILED"]


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    running = Sidecar(tmp_path)
    yield running
    running.close()


def _warm_workers(sidecar: Sidecar) -> list[psutil.Process]:
    children = psutil.Process(sidecar.process.pid).children()
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE and "warm-worker" in child.cmdline()]


def _work(sidecar: Sidecar, job_id: str) -> list[pb.JobEvent]:
    """A job that needs torch and ends at once: the store does not hold its input."""
    sidecar.stub.SubmitJob(request_for(job_id, StageKind.PREFER, [("images", "0" * 64)]), timeout=30)
    return sidecar.events(job_id, timeout=90)


def _worker_of(events: list[pb.JobEvent]) -> int:
    return next(int(event.state.facts["pid"]) for event in events if "pid" in event.state.facts)


def test_the_second_job_is_done_by_the_warm_worker_and_the_third_by_the_next_one(sidecar: Sidecar) -> None:
    assert _warm_workers(sidecar) == []
    first = _work(sidecar, "first")
    [warm_worker] = _warm_workers(sidecar)
    second = _work(sidecar, "second")
    assert _worker_of(first) != warm_worker.pid == _worker_of(second)
    assert states(first) == states(second) == WHOLE
    assert first[-1].state.error.code == second[-1].state.error.code == "DATA_INVALID"
    assert [next_one.pid for next_one in _warm_workers(sidecar)] != [warm_worker.pid]


def test_a_warm_worker_that_died_is_done_without(sidecar: Sidecar) -> None:
    _work(sidecar, "first")
    [warm_worker] = _warm_workers(sidecar)
    warm_worker.kill()
    # Its first thread is a zombie before the others have gone, and only then can its end be waited for.
    threads = Path(f"/proc/{warm_worker.pid}/task")
    eventually(lambda: warm_worker.status() == psutil.STATUS_ZOMBIE and len(list(threads.iterdir())) == 1)
    assert states(_work(sidecar, "second")) == WHOLE


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_warm_worker_does_not_outlive_its_sidecar(sidecar: Sidecar, by: signal.Signals) -> None:
    _work(sidecar, "first")
    [warm_worker] = _warm_workers(sidecar)
    os.kill(sidecar.process.pid, by)
    sidecar.process.wait(timeout=30)
    eventually(lambda: not warm_worker.is_running() or warm_worker.status() == psutil.STATUS_ZOMBIE, timeout=60)
