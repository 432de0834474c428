"""What this machine is, found without importing torch here."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import psutil

from stic_trainer.sidecar.supervisor import worker_environment

_PROBE = """
import json, torch
if torch.cuda.is_available():
    print(json.dumps({"device": f"cuda:0 {torch.cuda.get_device_name(0)}", "dtype": "bfloat16"}))
else:
    print(json.dumps({"device": "cpu", "dtype": "float32"}))
"""
_CPU = ("cpu", "float32")


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


def memory_bytes() -> int:
    return int(psutil.virtual_memory().total)


def cached_device(cache: Path) -> tuple[str, str] | None:
    """Device and dtype without asking torch: known from its build, from the absence of a GPU, or from an earlier probe."""
    if "+cpu" in versions()["torch"] or (sys.platform == "linux" and not Path("/dev/nvidia0").exists()):
        return _CPU
    try:
        fields = json.loads(cache.read_text("utf-8"))
        return (fields["device"], fields["dtype"]) if fields["torch"] == versions()["torch"] else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


async def probe_device(cache: Path) -> tuple[str, str]:
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
    return fields["device"], fields["dtype"]
