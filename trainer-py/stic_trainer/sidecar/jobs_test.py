"""The contract of jobs, over real gRPC, with a real sidecar and real workers: submit, watch, cancel, queue."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from stic.common.v1 import common_pb2 as common
from stic.recipe.v1 import recipe_pb2
from stic.trainer.v1 import trainer_pb2 as pb
from stic.trainer.v1 import trainer_pb2_grpc
from stic_trainer.sidecar.testing import Jobs, Sidecar, eventually, refusal, states

GRACE_SECONDS = 1.0


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    sidecar = Sidecar(tmp_path_factory.mktemp("sidecar"), "--capacity", "2", "--grace-seconds", str(GRACE_SECONDS))
    yield sidecar
    sidecar.close()


@pytest.fixture
def jobs(sidecar: Sidecar, request: pytest.FixtureRequest) -> Jobs:
    return Jobs(sidecar, re.sub(r"\W+", "-", request.node.name)[:80])


def last_state(sidecar: Sidecar, job_id: str) -> pb.JobStateChange:
    return sidecar.events(job_id)[-1].state


def test_a_job_runs_to_its_end_with_numbered_events(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.submit("a")
    events = sidecar.events(job_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert states(events) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert all(abs(event.at.ToSeconds() - time.time()) < 60 for event in events)
    running = next(event.state for event in events if event.state.state == common.JOB_STATE_RUNNING)
    assert int(running.facts["pid"]) > 0
    (artifact,) = (event.artifact for event in events if event.HasField("artifact"))
    assert (artifact.name, artifact.kind, artifact.items) == ("infused", common.ARTIFACT_KIND_BLOB, 3)
    assert artifact.bytes == jobs.store.blob(artifact.sha256).stat().st_size
    eventually(lambda: not sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids)


def test_submitting_the_same_again_is_one_job(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    again = jobs.request("a", gate.sha256)
    assert not sidecar.stub.SubmitJob(again).created
    gate.open()
    events = sidecar.events(job_id)
    assert not sidecar.stub.SubmitJob(again).created
    assert sidecar.events(job_id) == events


def test_the_same_id_with_other_content_is_refused_and_changes_nothing(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.submit("a")
    events = sidecar.events(job_id)
    other = jobs.request("a")
    other.recipe.seed += 1
    code, details = refusal(lambda: sidecar.stub.SubmitJob(other))
    assert (code, details) == (grpc.StatusCode.ALREADY_EXISTS, f"job {job_id} exists with another content")
    assert sidecar.events(job_id) == events


def test_submissions_at_the_same_moment_are_one_job(sidecar: Sidecar, jobs: Jobs) -> None:
    request = jobs.request("a")
    calls = [sidecar.stub.SubmitJob.future(request) for _ in range(10)]
    assert sorted(call.result().created for call in calls) == [False] * 9 + [True]
    assert states(sidecar.events(request.job_id)) == ["QUEUED", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("job_id", ["", ".", "..", "../outside", "a/b", ".hidden", "a b", "x" * 129])
def test_an_id_that_is_no_name_is_refused(sidecar: Sidecar, jobs: Jobs, job_id: str) -> None:
    request = jobs.request("a")
    request.job_id = job_id
    code, details = refusal(lambda: sidecar.stub.SubmitJob(request))
    assert (code, details.startswith("job_id ")) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    resumed = jobs.request("a")
    resumed.resume_from_job_id = job_id or "/"
    code, details = refusal(lambda: sidecar.stub.SubmitJob(resumed))
    assert (code, details.startswith("resume_from_job_id ")) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    for call in (
        lambda: sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=job_id)),
        lambda: list(sidecar.stub.WatchJob(pb.WatchJobRequest(job_id=job_id))),
    ):
        assert refusal(call) == (grpc.StatusCode.NOT_FOUND, f"this trainer has no job {job_id!r}")


def test_a_job_without_a_kind_is_refused_and_one_without_a_recipe_fails_by_its_field(sidecar: Sidecar, jobs: Jobs) -> None:
    request = jobs.request("a")
    request.kind = recipe_pb2.STAGE_KIND_UNSPECIFIED
    assert refusal(lambda: sidecar.stub.SubmitJob(request)) == (grpc.StatusCode.INVALID_ARGUMENT, "kind is not set")
    request = jobs.request("b")
    request.recipe.ClearField("dpo")
    sidecar.stub.SubmitJob(request)
    error = last_state(sidecar, request.job_id).error
    assert (error.code, error.subject) == ("CONFIG_INVALID", "recipe.dpo")


def test_a_watch_goes_on_from_any_event(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.submit("a")
    events = sidecar.events(job_id)
    for after_seq in range(len(events)):
        assert sidecar.events(job_id, after_seq) == events[after_seq:]
    assert sidecar.events(job_id, len(events)) == sidecar.events(job_id, 10_000) == []


def test_watchers_get_the_same_whenever_they_come(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.submit("a", gate.sha256)
    heard: dict[str, list[pb.JobEvent]] = {}

    def listen(name: str, after_seq: int = 0) -> threading.Thread:
        thread = threading.Thread(target=lambda: heard.update({name: sidecar.events(job_id, after_seq)}))
        thread.start()
        return thread

    early = [listen("first"), listen("second")]
    hung_up = sidecar.stub.WatchJob(pb.WatchJobRequest(job_id=job_id))
    assert next(hung_up).seq == 1
    hung_up.cancel()
    for event in sidecar.follow(job_id):
        if event.progress.phase == "infusing descriptions":
            break
    late = [listen("late"), listen("resumed", 2)]
    gate.open()
    for thread in early + late:
        thread.join(timeout=60)
    assert states(heard["first"]) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert heard["first"] == heard["second"] == heard["late"]
    assert heard["resumed"] == heard["first"][2:]


def test_a_quiet_watch_outlives_the_clients_pings(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    options = [
        ("grpc.keepalive_time_ms", 600),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with grpc.insecure_channel(f"127.0.0.1:{sidecar.port}", options=options) as channel:
        stub = trainer_pb2_grpc.TrainerServiceStub(channel)
        threading.Timer(4.0, gate.open).start()
        began = time.monotonic()
        events = list(stub.WatchJob(pb.WatchJobRequest(job_id=job_id), timeout=60))
    assert states(events)[-1] == "SUCCEEDED"
    assert time.monotonic() - began > 3.5


def test_a_waiting_job_is_cancelled_at_once(sidecar: Sidecar, jobs: Jobs) -> None:
    gates = [jobs.gate(), jobs.gate()]
    held = [jobs.held(f"held-{number}", gate) for number, gate in enumerate(gates)]
    waiting = jobs.submit("waiting")
    for _ in range(2):
        sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=waiting))
    assert states(sidecar.events(waiting)) == ["QUEUED", "CANCELLED"]
    for gate in gates:
        gate.open()
    assert [states(sidecar.events(job_id))[-1] for job_id in held] == ["SUCCEEDED"] * 2


def test_a_running_job_is_asked_to_stop(sidecar: Sidecar, jobs: Jobs) -> None:
    gate = jobs.gate()
    job_id = jobs.held("a", gate)
    for _ in range(2):
        sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    gate.open()
    assert states(sidecar.events(job_id)) == ["QUEUED", "RUNNING", "CANCELLED"]
    assert not last_state(sidecar, job_id).HasField("error")


def test_a_job_that_does_not_answer_is_ended_after_the_grace_time(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.held("a", jobs.gate())
    began = time.monotonic()
    sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    assert states(sidecar.events(job_id)) == ["QUEUED", "RUNNING", "CANCELLED"]
    assert time.monotonic() - began >= GRACE_SECONDS
    assert not sidecar.worker(job_id).alive()


def test_an_ended_job_stays_as_it_ended(sidecar: Sidecar, jobs: Jobs) -> None:
    job_id = jobs.submit("a")
    events = sidecar.events(job_id)
    sidecar.stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
    assert sidecar.events(job_id) == events


def test_jobs_beyond_the_capacity_wait_in_order(sidecar: Sidecar, jobs: Jobs) -> None:
    gates = [jobs.gate() for _ in range(4)]
    ids = [jobs.submit(str(number), gate.sha256) for number, gate in enumerate(gates)]
    info = sidecar.stub.GetInfo(pb.GetInfoRequest())
    assert info.capacity == 2
    assert sorted(info.active_job_ids) == sorted(ids)
    for number in (0, 1):
        sidecar.worker(ids[number])
    assert [sidecar.folder(job_id).pid.exists() for job_id in ids] == [True, True, False, False]
    gates[1].open()
    sidecar.worker(ids[2])
    assert not sidecar.folder(ids[3]).pid.exists()
    for number in (0, 2, 3):
        gates[number].open()
    assert [states(sidecar.events(job_id)) for job_id in ids] == [["QUEUED", "RUNNING", "SUCCEEDED"]] * 4
    eventually(lambda: not sidecar.stub.GetInfo(pb.GetInfoRequest()).active_job_ids)


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGKILL, "the worker process was killed (signal 9)"), (signal.SIGSEGV, "the worker process was ended by SIGSEGV")],
)
def test_a_worker_that_vanishes_is_lost_and_its_work_taken_up(sidecar: Sidecar, jobs: Jobs, number: int, words: str) -> None:
    job_id = jobs.held("a", jobs.gate())
    (sidecar.folder(job_id).work / "checkpoint").write_text("step 4")
    worker = sidecar.worker(job_id)
    os.kill(worker.pid, number)
    events = sidecar.events(job_id)
    assert states(events) == ["QUEUED", "RUNNING", "LOST"]
    error = events[-1].state.error
    assert (error.code, error.message, error.transient) == ("WORKER_LOST", words, True)
    assert error.subject == str(sidecar.folder(job_id).log)

    gate = jobs.gate()
    again = jobs.request("b", gate.sha256)
    again.resume_from_job_id = job_id
    sidecar.stub.SubmitJob(again)
    eventually((sidecar.folder(again.job_id).work / "checkpoint").exists)
    assert (sidecar.folder(again.job_id).work / "checkpoint").read_text() == "step 4"
    gate.open()
    events = sidecar.events(again.job_id)
    assert states(events) == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert {event.state.facts["resumed_from"] for event in events if "resumed_from" in event.state.facts} == {job_id}


def test_a_worker_that_cannot_even_start_is_lost_with_its_last_words(sidecar: Sidecar, jobs: Jobs) -> None:
    gates = [jobs.gate(), jobs.gate()]
    held = [jobs.held(f"held-{number}", gate) for number, gate in enumerate(gates)]
    job_id = jobs.submit("a")
    sidecar.folder(job_id).pid.mkdir()  # the worker's first write fails
    for gate in gates:
        gate.open()
    error = last_state(sidecar, job_id).error
    assert error.code == "WORKER_LOST"
    assert error.message.startswith("worker exited with code 1 before reporting an error: IsADirectoryError: ")
    assert [states(sidecar.events(name))[-1] for name in held] == ["SUCCEEDED"] * 2
