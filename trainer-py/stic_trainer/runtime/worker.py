"""One job in one process: read it, run its stage, and leave a terminal event that says how it ended.

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
from stic_trainer.runtime.code import code_commit
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.jobfolder import JobFolder, ProcessId
from stic_trainer.runtime.journal import Journal, JournalBusy
from stic_trainer.runtime.sinks import JournalSink
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


def work_on(folder: JobFolder, store_root: Path, *, threads: int) -> int:
    """Runs the job of ``folder``, whatever it may raise; the exit code is 0 only for SUCCEEDED."""
    stop = StopSignal()
    stop.install()
    try:
        journal = Journal(folder.events)
    except JournalBusy:
        return BUSY
    own = ProcessId.of(os.getpid())
    assert own is not None
    own.write(folder.pid)
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
        outcome = {"state": "JOB_STATE_FAILED", "error": job_error(error, store_root)}
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
    ctx.flush()


def process_facts(threads: int) -> dict[str, str]:
    facts = {"host": socket.gethostname(), "pid": str(os.getpid()), "threads": str(threads), "python": platform.python_version()}
    return facts | {"commit": code_commit()}


def _run(folder: JobFolder, store_root: Path, journal: Journal, stop: StopSignal, threads: int) -> dict[str, Any]:
    job = load_job(folder.path)
    resumed = _take_up_earlier_work(folder)
    ctx = StageContext(sink=JournalSink(journal), store=Store(store_root), work=folder.work, stop=stop)
    ctx.facts(**process_facts(threads), **({"resumed_from": resumed} if resumed else {}))
    run_stage(job, ctx, threads=threads)
    return {"state": "JOB_STATE_SUCCEEDED"}


def _take_up_earlier_work(folder: JobFolder) -> str:
    """Copies the work of the attempt to resume, once; its id, or "" when there is none to take up."""
    earlier_id = str(json.loads(folder.job.read_text("utf-8")).get("resume_from_job_id", ""))
    earlier = JobFolder(folder.path.parent / earlier_id).work if earlier_id else None
    if earlier is None or folder.work.exists() or not earlier.is_dir():
        return ""
    draft = folder.path / "work.copying"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(earlier, draft)
    draft.rename(folder.work)
    return earlier_id


def default_threads() -> int:
    """STIC_THREADS, else the cores this process may use."""
    wanted = os.environ.get("STIC_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
