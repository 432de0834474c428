"""The worker's command, and what its processes know of each other."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from stic_trainer.runtime import launch
from stic_trainer.runtime.jobfolder import JobFolder
from stic_trainer.sidecar import host


def _folder(path: Path, kind: str) -> JobFolder:
    (path / "job.json").write_text(json.dumps({"kind": kind}), "utf-8")
    return JobFolder(path)


def test_one_process_is_started_directly_and_several_by_torchrun(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "STAGE_KIND_DPO")
    work = ["-m", "stic_trainer", "worker", str(tmp_path), "--store", "store"]
    assert launch.worker_command(folder, Path("store"), processes=1) == [sys.executable, *work]
    several = launch.worker_command(folder, Path("store"), processes=4)
    assert several[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert several[several.index("--nproc-per-node") + 1] == "4"
    assert several[-len(work) :] == work


def test_a_stage_without_a_model_has_one_process(tmp_path: Path) -> None:
    assert "torch.distributed.run" not in launch.worker_command(_folder(tmp_path, "STAGE_KIND_INFUSE"), Path("store"), processes=4)


def test_without_a_launcher_a_process_is_rank_0_and_leads_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (launch.rank(), launch.processes(), launch.leader()) == (0, 1, os.getpid())
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert launch.leader() == os.getppid()


@pytest.mark.parametrize(("wanted", "visible", "count"), [("3", "0,1", 3), ("", "0,1", 2), ("", "", 1), ("", "-1", 1), ("0", "0", 1)])
def test_as_many_processes_as_wanted_or_as_there_are_gpus(monkeypatch: pytest.MonkeyPatch, wanted: str, visible: str, count: int) -> None:
    monkeypatch.setenv("STIC_PROCESSES", wanted)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert host.process_count() == count
