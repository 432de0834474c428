"""A worker that loads its libraries before it has a job: the next stage then begins at once instead of after seconds of imports.

The sidecar writes the folder of a job to its standard input; from then on it is an ordinary worker in a process of its own.
It exits when its sidecar has exited, or after half an hour without a job.
"""

from __future__ import annotations

import importlib
import os
import select
import sys
from pathlib import Path

from stic_trainer.config.job import StageKind
from stic_trainer.runtime.jobfolder import JobFolder
from stic_trainer.runtime.worker import default_threads, run_job

IDLE_SECONDS = 1800.0


def wait_for_job(store: Path) -> int:
    """Loads what any stage needs, waits for a job folder and works on it; 0 as well when none came."""
    for kind in StageKind:
        importlib.import_module(f"stic_trainer.stages.{kind}")
    waiting, _, _ = select.select([sys.stdin], [], [], IDLE_SECONDS)
    line = sys.stdin.readline() if waiting else ""
    if not line.endswith("\n"):
        return 0
    folder = JobFolder(Path(line[:-1]))
    _speak_to(folder.log)
    return run_job(folder, store, threads=default_threads())


def _speak_to(log: Path) -> None:
    """From now on everything said goes to the job's log, as with a worker that was started for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    with open(log, "ab") as file, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
