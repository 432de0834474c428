"""A worker process always leaves a terminal event, whatever happens to it or is raised in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stic_trainer.runtime.jobfolder import JobFolder, ProcessId, is_job_id
from stic_trainer.runtime.journal import Journal
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.testing import Gate, events_of, job_folder, no_descriptions, text_rows
from stic_trainer.runtime.worker import BUSY, default_threads
from stic_trainer.sidecar.environment import worker_environment
from stic_trainer.sidecar.testing import eventually


class Workers:
    """Starts workers, and ends those that a failed test has left."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, folder: JobFolder) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "stic_trainer", "worker", str(folder.path), "--store", str(self.store.root), "--threads", "3"]
        with open(folder.log, "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=worker_environment(), start_new_session=True)
        self._started.append(process)
        return process

    def finish(self, folder: JobFolder) -> dict[str, Any]:
        """Runs the job; its terminal state."""
        code = self.start(folder).wait(timeout=60)
        state: dict[str, Any] = events_of(folder)[-1]["state"]
        assert code == (0 if state["state"] == "JOB_STATE_SUCCEEDED" else 1), folder.log.read_text()
        return state

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(Store(tmp_path / "store"))
    yield workers
    workers.close()


@pytest.fixture
def inputs(workers: Workers) -> dict[str, str]:
    return {"instructions": text_rows(workers.store), "descriptions": no_descriptions(workers.store)}


def test_a_job_that_succeeds_says_what_it_made(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "jobs" / "a", inputs)
    process = workers.start(folder)
    assert process.wait(timeout=60) == 0
    events = events_of(folder)
    first, last = events[0]["state"], events[-1]["state"]
    assert (first["state"], first["facts"]["threads"], first["facts"]["pid"]) == ("JOB_STATE_RUNNING", "3", str(process.pid))
    assert last == {"state": "JOB_STATE_SUCCEEDED"}
    (artifact,) = (event["artifact"] for event in events if "artifact" in event)
    assert (artifact["name"], artifact["items"]) == ("infused", 3)
    assert len(workers.store.blob(artifact["sha256"]).read_text().splitlines()) == 3
    assert not folder.work.exists()
    assert workers.start(folder).wait(timeout=60) == 0
    assert events_of(folder) == events


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"recipe": {}}, "recipe.preset is missing"),
        ({"kind": "STAGE_KIND_DREAM"}, "kind is 'dream'; allowed: prefer"),
        ({"surprise": 1}, "surprise is not a known field"),
        ({"inputs": []}, "stage infuse needs one input 'descriptions', found 0 (given: none)"),
    ],
)
def test_a_job_that_is_not_right_fails_by_its_field(
    workers: Workers, inputs: dict[str, str], tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    state = workers.finish(job_folder(tmp_path / "jobs" / "a", inputs, changed=changed))
    assert (state["state"], state["error"]["code"]) == ("JOB_STATE_FAILED", "CONFIG_INVALID")
    assert state["error"]["message"].startswith(message)


def test_an_input_that_is_gone_or_not_what_it_should_be_is_named(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    gone = workers.finish(job_folder(tmp_path / "jobs" / "gone", inputs | {"instructions": "0" * 64}))
    assert (gone["error"]["code"], gone["error"]["subject"]) == ("DATA_INVALID", "0" * 64)
    swapped = workers.finish(job_folder(tmp_path / "jobs" / "swapped", inputs | {"descriptions": inputs["instructions"]}))
    assert swapped["error"]["code"] == "DATA_INVALID"
    assert ":1: " in swapped["error"]["message"]


def test_an_exception_nobody_thought_of_is_told_and_its_traceback_kept(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    (workers.store.root / "blobs" / "ee" / ("e" * 64)).mkdir(parents=True)
    folder = job_folder(tmp_path / "jobs" / "a", inputs | {"descriptions": "e" * 64})
    error = workers.finish(folder)["error"]
    assert (error["code"], error["hint"]) == ("INTERNAL", f"The traceback is in {folder.log}.")
    assert error["message"].startswith("IsADirectoryError: ")
    assert "Traceback (most recent call last)" in folder.log.read_text()


def test_a_full_disk_is_told_as_such(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "jobs" / "a", inputs)
    folder.work.mkdir()
    (folder.work / "infused.jsonl").symlink_to("/dev/full")
    error = workers.finish(folder)["error"]
    assert (error["code"], error["transient"], error["subject"]) == ("DISK_FULL", True, str(workers.store.root))


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_stop_is_answered_with_why_it_was_asked(workers: Workers, inputs: dict[str, str], tmp_path: Path, cancelled: bool) -> None:
    gate = Gate(workers.store)
    folder = job_folder(tmp_path / "jobs" / "a", inputs | {"descriptions": gate.sha256})
    process = workers.start(folder)
    eventually(lambda: any("progress" in event for event in events_of(folder)))
    assert ProcessId.read(folder.pid) == ProcessId.of(process.pid)
    if cancelled:
        folder.cancel.touch()
    process.send_signal(signal.SIGTERM)
    gate.open()
    assert process.wait(timeout=60) == 1
    state = events_of(folder)[-1]["state"]
    if cancelled:
        assert state == {"state": "JOB_STATE_CANCELLED"}
    else:
        assert (state["state"], state["error"]["code"], state["error"]["transient"]) == ("JOB_STATE_LOST", "WORKER_LOST", True)
    assert folder.work.is_dir()


def test_a_second_worker_leaves_the_job_to_the_first(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    gate = Gate(workers.store)
    folder = job_folder(tmp_path / "jobs" / "a", inputs | {"descriptions": gate.sha256})
    first = workers.start(folder)
    eventually(lambda: any("progress" in event for event in events_of(folder)))
    assert workers.start(folder).wait(timeout=60) == BUSY
    gate.open()
    assert first.wait(timeout=60) == 0
    assert [event["seq"] for event in events_of(folder)] == [str(number) for number in range(1, len(events_of(folder)) + 1)]


def test_work_of_an_earlier_attempt_is_copied_and_stays_where_it_was(workers: Workers, inputs: dict[str, str], tmp_path: Path) -> None:
    earlier = job_folder(tmp_path / "jobs" / "earlier", inputs)
    (earlier.work / "checkpoints").mkdir(parents=True)
    (earlier.work / "checkpoints" / "step").write_text("4")
    gate = Gate(workers.store)
    folder = job_folder(tmp_path / "jobs" / "later", inputs | {"descriptions": gate.sha256}, resume_from="earlier")
    (folder.path / "work.copying").mkdir()  # a copy that a crash has cut off
    process = workers.start(folder)
    eventually(lambda: any("progress" in event for event in events_of(folder)))
    assert (folder.work / "checkpoints" / "step").read_text() == "4"
    assert not (folder.path / "work.copying").exists()
    facts = [event["state"].get("facts", {}) for event in events_of(folder) if "state" in event]
    assert facts[-1]["resumed_from"] == "earlier"
    gate.open()
    assert process.wait(timeout=60) == 0
    assert (earlier.work / "checkpoints" / "step").read_text() == "4"


def test_the_work_of_an_attempt_is_found_behind_one_that_died_before_it_took_it_up(
    workers: Workers, inputs: dict[str, str], tmp_path: Path
) -> None:
    first = job_folder(tmp_path / "jobs" / "first", inputs)
    (first.work / "checkpoints").mkdir(parents=True)
    journal = Journal(first.events)
    journal.append("state", {"state": "JOB_STATE_LOST"})
    journal.close()
    job_folder(tmp_path / "jobs" / "died", inputs, resume_from="first")
    folder = job_folder(tmp_path / "jobs" / "later", inputs, resume_from="died")
    assert workers.finish(folder)["state"] == "JOB_STATE_SUCCEEDED"
    facts = [event["state"].get("facts", {}) for event in events_of(folder) if "state" in event]
    assert any(fact.get("resumed_from") == "first" for fact in facts)
    assert not first.work.exists(), "what has been taken up is not kept twice once its attempt has ended"


@pytest.mark.parametrize("earlier", ["unknown", "worked-not"])
def test_without_earlier_work_an_attempt_begins_anew(workers: Workers, inputs: dict[str, str], tmp_path: Path, earlier: str) -> None:
    job_folder(tmp_path / "jobs" / "worked-not", inputs)
    folder = job_folder(tmp_path / "jobs" / "later", inputs, resume_from=earlier)
    assert workers.finish(folder)["state"] == "JOB_STATE_SUCCEEDED"
    assert all("resumed_from" not in event["state"].get("facts", {}) for event in events_of(folder) if "state" in event)


def test_threads_are_what_was_asked_for_or_the_cores_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIC_THREADS", "5")
    assert default_threads() == 5
    for unusable in ("", "0", "many"):
        monkeypatch.setenv("STIC_THREADS", unusable)
        assert default_threads() == len(os.sched_getaffinity(0))


def test_a_process_is_told_from_a_later_one_with_its_pid(tmp_path: Path) -> None:
    own = ProcessId.of(os.getpid())
    assert own is not None
    own.write(tmp_path / "pid")
    assert ProcessId.read(tmp_path / "pid") == own
    assert own.alive()
    assert not ProcessId(own.pid, "another time").alive()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    eventually(lambda: ProcessId.of(child.pid) is None)  # its zombie is no process
    child.wait()
    for torn in ("", "{", "[]", '{"pid": "x", "started": "1"}', '{"pid": 1}'):
        (tmp_path / "torn").write_text(torn)
        assert ProcessId.read(tmp_path / "torn") is None
    assert ProcessId.read(tmp_path / "none") is None


def test_a_job_id_cannot_leave_its_folder() -> None:
    assert all(is_job_id(name) for name in ("a", "0198c2f0-6f0e-7d4e-8f6f-0123456789ab", "run.1_attempt-2", "x" * 128))
    assert not any(is_job_id(name) for name in ("", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ü", "-a", "x" * 129, "a\n"))
