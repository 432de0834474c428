"""One job: read it, run its stage, and leave a terminal event that says how it ended.

Where several processes share the job, rank 0 does all of this and the others run the stage without publishing.

A stage is a module ``stic_trainer.stages.<kind>`` with ``run(job: Job, ctx: StageContext) -> None``.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import random
import shutil
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from stic_trainer.config.job import Job, StageKind, load_job
from stic_trainer.errors import Stopped
from stic_trainer.runtime import launch
from stic_trainer.runtime.code import code_commit
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.failures import is_lost_peer, job_error
from stic_trainer.runtime.jobfolder import JobFolder, ProcessId
from stic_trainer.runtime.journal import Journal, JournalBusy, is_closed
from stic_trainer.runtime.memory import peak_gpu_memory, peak_memory
from stic_trainer.runtime.sinks import JournalSink, SilentSink
from stic_trainer.runtime.stop import StopSignal
from stic_trainer.runtime.store import Store

BUSY = 75
"""Exit code of a second worker for one job: the first one has it."""

STOPPED_ERROR = {
    "code": "WORKER_LOST",
    "message": "the trainer was stopped; the work done so far is saved",
    "hint": "A new attempt takes it up.",
    "transient": True,
}


LOST_PEER = {
    "code": "WORKER_LOST",
    "message": "one of the processes that shared the job has ended",
    "hint": "A new attempt resumes from the last checkpoint.",
    "transient": True,
}


def run_job(folder: JobFolder, store_root: Path, *, threads: int) -> int:
    """Runs the job of ``folder``, whatever it may raise; the exit code is 0 only for SUCCEEDED."""
    stop = StopSignal()
    stop.install()
    launch.end_with_launcher()
    if launch.rank() > 0:
        return _run_secondary_rank(folder, store_root, stop, threads)
    try:
        journal = Journal(folder.events)
    except JournalBusy:
        return BUSY
    leader = ProcessId.of(launch.leader())
    assert leader is not None
    leader.write(folder.pid)
    if journal.terminal:
        return 0
    try:
        journal.append("state", {"state": "JOB_STATE_RUNNING", "facts": process_facts(threads)}, durable=True)
        outcome = _run(folder, store_root, journal, stop, threads)
    except Stopped:
        cancelled = folder.cancel.exists()
        outcome = {"state": "JOB_STATE_CANCELLED"} if cancelled else {"state": "JOB_STATE_LOST", "error": STOPPED_ERROR}
    except BaseException as error:
        traceback.print_exc()
        outcome = _failure(folder, error, store_root)
    journal.append("state", outcome, durable=True)
    succeeded = outcome["state"] == "JOB_STATE_SUCCEEDED"
    if succeeded:
        shutil.rmtree(folder.work, ignore_errors=True)
    return 0 if succeeded else 1


def run_stage(job: Job, ctx: StageContext, *, threads: int) -> None:
    """Seeds, limits threads and runs the stage; the same online and offline."""
    random.seed(job.recipe.seed)
    if job.kind is not StageKind.INFUSE:
        ctx.phase("loading PyTorch")
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(job.recipe.seed)
    ctx.check_stop()
    importlib.import_module(f"stic_trainer.stages.{job.kind}").run(job, ctx)
    ctx.facts(peak_memory_bytes=str(peak_memory()), **({"peak_gpu_memory_bytes": str(gpu)} if (gpu := peak_gpu_memory()) else {}))
    ctx.flush()


def process_facts(threads: int) -> dict[str, str]:
    return {
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
        "processes": str(launch.processes()),
        "threads": str(threads),
        "python": platform.python_version(),
        "commit": code_commit(),
    }


def _run(folder: JobFolder, store_root: Path, journal: Journal, stop: StopSignal, threads: int) -> dict[str, Any]:
    job = load_job(folder.path)
    resumed = _copy_earlier_work(folder)
    ctx = StageContext(sink=JournalSink(journal), store=Store(store_root), work=folder.work, stop=stop)
    ctx.facts(**process_facts(threads), **({"resumed_from": resumed} if resumed else {}))
    run_stage(job, ctx, threads=threads)
    return {"state": "JOB_STATE_SUCCEEDED"}


def _run_secondary_rank(folder: JobFolder, store_root: Path, stop: StopSignal, threads: int) -> int:
    """A further process of the job. It sees the job's checkpoints and writes in a folder of its own; an error is left there."""
    own = folder.helper(launch.rank())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    (own / "checkpoints").symlink_to(folder.work / "checkpoints")
    try:
        run_stage(load_job(folder.path), StageContext(sink=SilentSink(), store=Store(store_root), work=own, stop=stop), threads=threads)
    except Stopped:
        return 1
    except BaseException as error:
        traceback.print_exc()
        if not is_lost_peer(error):
            (own / "error.json").write_text(json.dumps(job_error(error, store_root, folder.log)), "utf-8")
        return 1
    shutil.rmtree(own)
    return 0


def _failure(folder: JobFolder, error: BaseException, store_root: Path) -> dict[str, Any]:
    """How the job ended: where another process is the cause, by that one's error."""
    if not is_lost_peer(error):
        return {"state": "JOB_STATE_FAILED", "error": job_error(error, store_root, folder.log)}
    causes = [folder.helper(rank) / "error.json" for rank in range(1, launch.processes())]
    told = next((path for path in causes if path.exists()), None)
    if told is None:
        return {"state": "JOB_STATE_LOST", "error": LOST_PEER | {"subject": str(folder.log)}}
    return {"state": "JOB_STATE_FAILED", "error": json.loads(told.read_text("utf-8"))}


def _copy_earlier_work(folder: JobFolder) -> str:
    """Copies the work of the attempt to resume, once; its id, or "" when there is none to take up."""
    if folder.work.exists() or (earlier := _earlier_work(folder)) is None:
        return ""
    draft = folder.path / "work.copying"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(earlier.work, draft)
    draft.rename(folder.work)
    if is_closed(earlier.events):
        # Optimizer states of many attempts would fill the disk.
        shutil.rmtree(earlier.work, ignore_errors=True)
    return earlier.job_id


def _earlier_work(folder: JobFolder) -> JobFolder | None:
    """The newest attempt before this one that has left work: one that ended as it began has none, but may have been given some."""
    earlier = folder
    while earlier.job.is_file() and (job_id := str(json.loads(earlier.job.read_text("utf-8")).get("resume_from_job_id", ""))):
        earlier = JobFolder(folder.path.parent / job_id)
        if earlier.work.is_dir():
            return earlier
    return None


def default_threads() -> int:
    """STIC_THREADS, else this process's share of the cores it may use."""
    wanted = os.environ.get("STIC_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, cores // launch.processes())
