"""A worker process killed at any moment: the job, started again, ends with the very adapter of an unbroken one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from stic_trainer.config.job import Job, StageKind
from stic_trainer.data.records import to_json
from stic_trainer.runtime.jobfolder import JobFolder
from stic_trainer.stages.testing import Laboratory, pair_of

KILLED_AFTER = 5


def _folder(path: Path, job: Job) -> JobFolder:
    path.mkdir()
    fields = to_json(job) | {"kind": f"STAGE_KIND_{job.kind.name}"}
    (path / "job.json").write_text(json.dumps(fields), "utf-8")
    return JobFolder(path)


def _start(folder: JobFolder, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stic_trainer", "worker", str(folder.path), "--store", str(store), "--threads", "1"]
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with open(folder.log, "ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def _steps(folder: JobFolder) -> list[int]:
    """Steps whose loss was reported, in order, the repeated ones too."""
    if not folder.events.exists():
        return []
    lines = folder.events.read_bytes().split(b"\n")[:-1]
    metrics = [event["metric"] for event in map(json.loads, lines) if "metric" in event]
    return [metric["step"] for metric in metrics if metric["name"] == "dpo/loss"]


def test_killed_at_any_moment_it_ends_as_if_unbroken(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    laboratory = Laboratory(tmp_path / "laboratory")
    image = laboratory.put_image("one.png").ref
    pairs = [pair_of(image, f"It is {number}.", f"Is it {number}?", prompt=f"What is {number}?") for number in range(24)]
    overrides = {"dpo": {"optimizer": {"checkpoint_every_steps": 2, "epochs": 2}}}
    job = laboratory.job(StageKind.DPO, {"pairs": laboratory.put_rows(pairs)}, overrides)
    unbroken = laboratory.run(job, tmp_path / "unbroken")

    folder = _folder(tmp_path / "job", job)
    worker = _start(folder, laboratory.store.root)
    deadline = time.monotonic() + 120
    while len(_steps(folder)) < KILLED_AFTER:
        assert worker.poll() is None and time.monotonic() < deadline, folder.log.read_text()
        time.sleep(0.002)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    before = _steps(folder)
    assert before[-1] < 24, "it was over before it was killed"

    assert _start(folder, laboratory.store.root).wait(120) == 0, folder.log.read_text()
    events = [json.loads(line) for line in folder.events.read_text("utf-8").splitlines()]
    assert [int(event["seq"]) for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["state"]["state"] == "JOB_STATE_SUCCEEDED"
    resumed_from = next(event["state"]["resumed_from_step"] for event in reversed(events) if event.get("state", {}).get("facts"))
    assert resumed_from > 0 and resumed_from % 2 == 0 and resumed_from <= before[-1]
    assert _steps(folder)[len(before) :] == list(range(resumed_from + 1, 25))
    (artifact,) = [event["artifact"] for event in events if "artifact" in event]
    assert artifact["sha256"] == unbroken.artifact("adapter")["sha256"]
