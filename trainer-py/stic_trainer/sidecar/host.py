"""What this machine is, found without importing torch here."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from stic_trainer.sidecar.environment import worker_environment

_LABEL_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_PROBE = """
import json, torch
if torch.cuda.is_available():
    about = torch.cuda.get_device_properties(0)
    print(json.dumps({"device": f"cuda:0 {about.name}", "dtype": "bfloat16", "memory_bytes": about.total_memory}))
else:
    print(json.dumps({"device": "cpu", "dtype": "float32", "memory_bytes": 0}))
"""


@dataclass(frozen=True)
class Accelerator:
    """What torch computes on; ``memory_bytes`` is the accelerator's own, 0 without one."""

    device: str
    dtype: str
    memory_bytes: int


_CPU = Accelerator("cpu", "float32", 0)
NOT_KNOWN_YET = Accelerator("being determined", "", 0)


def parse_labels(labels: list[str]) -> dict[str, str]:
    """``["tag=a100"]`` as ``{"tag": "a100"}``; ValueError names one that is not KEY=VALUE or comes twice."""
    parsed: dict[str, str] = {}
    for label in labels:
        key, equals, value = label.partition("=")
        if not equals or _LABEL_KEY.fullmatch(key) is None:
            raise ValueError(f"--label {label!r} is not KEY=VALUE with letters, digits, '.', '_', '-' in its key")
        if key in parsed:
            raise ValueError(f"--label {key} is given twice")
        parsed[key] = value
    return parsed


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "transformers", "peft", "accelerate", "pillow", "grpcio"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def package_version() -> str:
    try:
        return metadata.version("stic-trainer")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def cpu_count() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def gpu_count() -> int:
    """GPUs that a process started here would see, without asking torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    return len([path for path in Path("/dev").glob("nvidia*") if path.name.removeprefix("nvidia").isdigit()])


def process_count() -> int:
    """Processes that share a job: STIC_PROCESSES, else one for each GPU, and one without a GPU."""
    wanted = os.environ.get("STIC_PROCESSES", "")
    return int(wanted) if wanted.isdigit() and int(wanted) > 0 else max(1, gpu_count())


_CONTROL_GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_bytes() -> int:
    """Memory of the machine, or of the control group (a container, a batch job) that this process is in where that has less."""
    texts = [path.read_text("utf-8").strip() for path in _CONTROL_GROUP_LIMITS if path.is_file()]
    limits = [int(text) for text in texts if text.isdigit()]  # "max" is none
    return min([int(psutil.virtual_memory().total), *limits])


def cached_device(cache: Path) -> Accelerator | None:
    """Device and dtype without asking torch: known from its build, from the absence of a GPU, or from an earlier probe."""
    if "+cpu" in versions()["torch"] or (sys.platform == "linux" and not Path("/dev/nvidia0").exists()):
        return _CPU
    try:
        fields = json.loads(cache.read_text("utf-8"))
        return _accelerator(fields) if fields["torch"] == versions()["torch"] else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


async def probe_device(cache: Path) -> Accelerator:
    """Asks torch in a process of its own, and remembers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROBE, stdout=asyncio.subprocess.PIPE, env=worker_environment(), start_new_session=True
    )
    output, _ = await process.communicate()
    try:
        fields = json.loads(output)
    except ValueError:
        return _CPU
    cache.write_text(json.dumps({**fields, "torch": versions()["torch"]}), "utf-8")
    return _accelerator(fields)


def _accelerator(fields: dict[str, Any]) -> Accelerator:
    return Accelerator(fields["device"], fields["dtype"], int(fields["memory_bytes"]))
