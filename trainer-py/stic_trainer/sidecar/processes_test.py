"""A job that two processes share, under a real sidecar: one of them killed, and all of them asked to stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import StageKind
from stic_trainer.data.records import ImageRef, Pair, write_rows
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar.testing import Sidecar, eventually, request_for, states
from stic_trainer.world.scene import render, sample_scene
from stic_trainer.world.seeds import stream

_OPTIMIZER = {"batch_size": 4, "epochs": 500, "checkpoint_every_steps": 2}


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    sidecar = Sidecar(tmp_path, "--processes", "2")
    yield sidecar
    sidecar.close()


def _pairs(folder: Path) -> str:
    store = Store(folder / "store")
    pairs = []
    for index in range(4):
        rng = stream(2001, "processes", index)
        render(sample_scene(rng), rng).save(folder / f"{index}.png")
        sha256, _ = store.put_blob_file(folder / f"{index}.png")
        pairs.append(
            Pair(
                id=str(index),
                index=index,
                image=ImageRef(name=str(index), sha256=sha256),
                prompt="describe the picture",
                chosen="a large red circle",
                rejected="a small blue square",
                made_by="misleading",
                rejected_prompt="",
                corrupted_image=None,
                corruption_parameters={},
                seed=index,
            )
        )
    write_rows(folder / "pairs.jsonl", pairs)
    return store.put_blob_file(folder / "pairs.jsonl")[0]


def _step(sidecar: Sidecar, job_id: str, least: int) -> None:
    """Waits until the job has reported a step."""
    for event in sidecar.follow(job_id, timeout=120):
        if event.metric.name == "dpo/loss" and event.metric.step >= least:
            return
    raise AssertionError(f"{job_id} ended before step {least}")


def _ranks(sidecar: Sidecar, job_id: str) -> list[psutil.Process]:
    started = psutil.Process(sidecar.worker(job_id).pid).children(recursive=True)
    return sorted((process for process in started if "RANK" in process.environ()), key=lambda process: int(process.environ()["RANK"]))


def test_a_killed_process_loses_the_job_which_is_taken_up_again_and_can_be_stopped(sidecar: Sidecar, tmp_path: Path) -> None:
    pairs = [("pairs", _pairs(tmp_path))]
    overrides = {"dpo": {"optimizer": _OPTIMIZER}}
    sidecar.stub.SubmitJob(request_for("first", StageKind.DPO, pairs, overrides=overrides))
    _step(sidecar, "first", 3)
    ranks = _ranks(sidecar, "first")
    assert len(ranks) == 2
    ranks[1].kill()

    events = sidecar.events("first")
    assert states(events)[-1] == "LOST"
    assert events[-1].state.error.code == "WORKER_LOST"
    assert events[-1].state.error.transient
    eventually(lambda: not any(process.is_running() for process in ranks))

    sidecar.stub.SubmitJob(request_for("second", StageKind.DPO, pairs, overrides=overrides, resume_from="first"))
    resumed = max(event.state.resumed_from_step for event in _until_training(sidecar, "second"))
    assert resumed >= 2
    ranks = _ranks(sidecar, "second")
    sidecar.stub.CancelJob(pb.CancelJobRequest(job_id="second"))
    events = sidecar.events("second")
    assert states(events)[-1] == "CANCELLED"
    steps = [event.metric.step for event in events if event.metric.name == "dpo/loss"]
    assert steps == list(range(resumed + 1, resumed + 1 + len(steps)))
    assert (sidecar.folder("second").work / "checkpoints" / f"step-{steps[-1]:08d}").is_dir()
    eventually(lambda: not any(process.is_running() for process in ranks))


def _until_training(sidecar: Sidecar, job_id: str) -> list[pb.JobEvent]:
    """The job's events up to its first step."""
    events = []
    for event in sidecar.follow(job_id, timeout=120):
        events.append(event)
        if event.metric.name == "dpo/loss":
            return events
    raise AssertionError(f"{job_id} ended before its first step")
