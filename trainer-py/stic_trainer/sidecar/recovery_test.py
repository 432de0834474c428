"""Sidecars that are killed, stopped and started again: no job is lost, run twice or forgotten."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stic.common.v1 import common_pb2 as common
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.config.job import StageKind
from stic_trainer.data.records import Pair, read_rows
from stic_trainer.runtime.jobfolder import ProcessId
from stic_trainer.sidecar.environment import worker_environment
from stic_trainer.sidecar.testing import Jobs, Sidecar, eventually, request_for, states
from stic_trainer.world.dataset import render_demo

WHOLE = ["QUEUED", "RUNNING", "SUCCEEDED"]
_numbers = itertools.count()


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    sidecar = Sidecar(tmp_path_factory.mktemp("sidecar"), "--capacity", "1", "--grace-seconds", "1")
    yield sidecar
    sidecar.close()


@pytest.fixture
def jobs(sidecar: Sidecar) -> Jobs:
    return Jobs(sidecar, f"test-{next(_numbers)}")


def restart(sidecar: Sidecar) -> None:
    sidecar.kill()
    sidecar.start()


def test_a_killed_sidecars_jobs_go_on_and_the_next_one_serves_them(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    worker, known = sidecar.worker(job_id), sidecar.folder(job_id).events.read_bytes().count(b"\n")
    sidecar.kill()
    assert worker.alive()
    sidecar.start()
    assert sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids == [job_id]
    assert not sidecar.stub.SubmitJob(jobs.request("a", gate.sha256)).created
    watch = sidecar.follow(job_id, known)
    gate.open()
    assert next(event.seq for event in watch) == known + 1
    assert states(sidecar.events(job_id)) == WHOLE
    assert sidecar.worker(job_id) == worker


def test_a_job_that_ended_without_a_sidecar_is_served_as_it_ended(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    sidecar.kill()
    gate.open()
    eventually(lambda: not sidecar.worker(job_id).alive())
    sidecar.start()
    assert sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids == []
    assert states(sidecar.events(job_id)) == WHOLE


def test_a_worker_that_vanished_without_a_sidecar_is_lost(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.held("a", jobs.gate())
    sidecar.kill()
    os.kill(sidecar.worker(job_id).pid, signal.SIGKILL)
    with open(sidecar.folder(job_id).events, "ab") as journal:
        journal.write(b'{"seq":"')  # what a kill may leave
    sidecar.start()
    events = sidecar.events(job_id)
    assert states(events) == ["QUEUED", "RUNNING", "LOST"]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[-1].state.error.message == "the worker process vanished while no sidecar was watching it"


def test_waiting_jobs_keep_their_order_over_a_restart(sidecar: Sidecar, jobs: Jobs) -> None:
    gates = [jobs.gate() for _ in range(3)]
    ids = [jobs.held("0", gates[0]), jobs.submit("1", gates[1].sha256), jobs.submit("2", gates[2].sha256)]
    restart(sidecar)
    assert sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids == ids
    sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=ids[1]))
    gates[0].open()
    sidecar.worker(ids[2])
    gates[2].open()
    assert [states(sidecar.events(job_id)) for job_id in ids] == [WHOLE, ["QUEUED", "CANCELLED"], WHOLE]


def test_a_cancel_is_carried_out_by_the_next_sidecar(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    sidecar.kill()
    sidecar.folder(job_id).cancel.touch()  # the first thing that a cancel does
    sidecar.start()
    gate.open()
    assert states(sidecar.events(job_id)) == ["QUEUED", "RUNNING", "CANCELLED"]


def test_a_worker_that_comes_up_late_is_found_cancelled_and_not_started_twice(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.held("a", jobs.gate())
    worker = sidecar.worker(job_id)
    sidecar.kill()
    sidecar.folder(job_id).pid.rename(sidecar.folder(job_id).path / "pid.later")  # as if it had not got to write it yet
    sidecar.start()
    (sidecar.folder(job_id).path / "pid.later").rename(sidecar.folder(job_id).pid)
    sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    events = sidecar.events(job_id)
    assert states(events) == ["QUEUED", "RUNNING", "CANCELLED"]
    pids = {event.state.facts["pid"] for event in events if "pid" in event.state.facts}
    assert pids == {str(worker.pid)}
    eventually(lambda: not sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids)


def test_a_stopped_sidecar_asks_its_workers_to_save_and_keeps_the_queue(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id, waiting = jobs.held("a", jobs.gate()), jobs.submit("b")
    watch = sidecar.follow(job_id)
    assert next(watch).seq == 1
    worker = sidecar.worker(job_id)
    sidecar.process.terminate()
    error = list(watch)[-1].state.error
    assert sidecar.process.wait(timeout=30) == 0
    assert (error.code, error.message) == ("WORKER_LOST", "the trainer was stopped before the worker could save its work")
    assert not worker.alive()
    sidecar.start()
    assert states(sidecar.events(job_id)) == ["QUEUED", "RUNNING", "LOST"]
    assert states(sidecar.events(waiting)) == WHOLE


def test_generated_texts_of_a_killed_attempt_are_not_made_again(sidecar: Sidecar, jobs: Jobs, tmp_path: Path) -> None:
    render_demo(tmp_path, seed=4711, num_images=8, num_instructions=1, num_test_scenes=1)
    manifest = sidecar.import_dataset(common.DATASET_KIND_IMAGES, tmp_path / "images")[-1].result.manifest_sha256
    settings = {"prefer": {"generation": {"max_new_tokens": 24}, "max_batch_tokens": 200}}

    def attempt(job_id: str, resume_from: str = "") -> pb.SubmitJobRequest:
        return request_for(job_id, StageKind.PREFER, [("images", manifest)], overrides=settings, resume_from=resume_from)

    sidecar.stub.SubmitJob(attempt("killed"))
    texts = sidecar.folder("killed").work / "texts.jsonl"
    eventually(lambda: texts.exists() and b"\n" in texts.read_bytes(), timeout=60)
    os.kill(sidecar.worker("killed").pid, signal.SIGKILL)
    assert states(sidecar.events("killed")) == ["QUEUED", "RUNNING", "LOST"]
    said = {row["key"]: row["text"] for row in map(json.loads, texts.read_text().splitlines())}
    assert 0 < len(said) < 16

    sidecar.stub.SubmitJob(attempt("resumed", "killed"))
    events = sidecar.events("resumed")
    assert states(events) == WHOLE
    assert next(event.progress.done for event in events if event.progress.unit == "pairs") == len(said) // 2
    (digest,) = (event.artifact.sha256 for event in events if event.artifact.name == "pairs")
    pairs = list(read_rows(jobs.store.blob(digest), Pair))
    made = {f"{pair.id}#{side}": text for pair in pairs for side, text in (("chosen", pair.chosen), ("rejected", pair.rejected))}
    assert len(pairs) >= 6
    assert {key: made[key] for key in said if key in made} == {key: text for key, text in said.items() if key in made}


def test_what_is_no_job_or_damaged_does_not_keep_a_sidecar_from_starting(sidecar: Sidecar, jobs: Jobs) -> None:
    whole = jobs.submit("whole")
    assert states(sidecar.events(whole)) == WHOLE
    sidecar.kill()
    folder = sidecar.state / "jobs"
    (folder / ".half-written").mkdir()
    (folder / "notes.txt").write_text("not a job")
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "request.pb").write_bytes(b"")
    (folder / "damaged" / "events.jsonl").write_bytes(bytes(100) + b"\n")
    sidecar.start()
    assert sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids == []
    assert not (folder / ".half-written").exists()
    assert states(sidecar.events(whole)) == WHOLE
    assert states(sidecar.events(jobs.submit("after"))) == WHOLE


def _second(sidecar: Sidecar, state: Path, listen: str) -> str:
    """Why another sidecar does not start."""
    command = [sys.executable, "-m", "stic_trainer", "sidecar", "--store", str(sidecar.store), "--state", str(state), "--listen", listen]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=worker_environment())
    assert process.returncode == 1
    return process.stderr


def test_one_sidecar_has_a_state_folder_and_a_port(sidecar: Sidecar, tmp_path: Path) -> None:
    assert f"another sidecar uses the state folder {sidecar.state}" in _second(sidecar, sidecar.state, "127.0.0.1:0")
    taken = f"127.0.0.1:{sidecar.port}"
    assert f"cannot listen on {taken}: the address is taken" in _second(sidecar, tmp_path, taken)


def test_the_ready_file_names_the_process_and_its_port(sidecar: Sidecar) -> None:
    ready = sidecar.ready()
    assert (ready["pid"], ready["port"]) == (sidecar.process.pid, sidecar.port)
    assert ProcessId.of(ready["pid"]) is not None
    assert sidecar.terminate() == 0
    assert not sidecar.ready_file.exists()
    sidecar.start()
