"""How a job's worker is started: the one place that knows, so that another launcher can take its place.

Several processes on this host are torchrun's: it starts them, and ends them all when one of them fails. They are told apart
by what it sets in their environment.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from stic_trainer.config.job import StageKind
from stic_trainer.runtime.jobfolder import JobFolder


def worker_arguments(folder: JobFolder, store: Path) -> list[str]:
    """The worker of ``folder`` as a command of this package."""
    return ["worker", str(folder.path), "--store", str(store)]


def worker_command(folder: JobFolder, store: Path, *, processes: int) -> list[str]:
    """Command of the worker of ``folder``: one process, or several that share the job."""
    work = ["-m", "stic_trainer", *worker_arguments(folder, store)]
    if processes == 1 or not _needs_torch(folder):
        return [sys.executable, *work]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
    return [sys.executable, *torchrun, *work]


def can_be_forked(folder: JobFolder, *, processes: int) -> bool:
    """Whether runtime/fork_server.py may start the worker: one process does the job, and needs what the fork server has loaded."""
    return processes == 1 and _needs_torch(folder)


def _needs_torch(folder: JobFolder) -> bool:
    kind = str(json.loads(folder.job.read_text("utf-8"))["kind"]).removeprefix("STAGE_KIND_").lower()
    return kind != StageKind.INFUSE


def rank() -> int:
    """Number of this process among those of its job; 0 leads."""
    return int(os.environ.get("RANK", "0"))


def processes() -> int:
    """Processes of this job."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leader() -> int:
    """Pid to watch and to send signals to: the launcher's, where there is one."""
    return os.getppid() if processes() > 1 else os.getpid()


def end_with_launcher() -> None:
    """A killed launcher cannot end what it started; from now on this process ends by itself when it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    if processes() > 1:
        threading.Thread(target=watch, daemon=True).start()
