"""Memory of this process."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """Most bytes that this process has held at once: VmHWM on Linux, which a process does not inherit."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_gpu_memory() -> int:
    """Most bytes of tensors at once on this process's GPU; 0 without one. Does not import torch."""
    torch = sys.modules.get("torch")
    return 0 if torch is None or not torch.cuda.is_initialized() else int(torch.cuda.max_memory_allocated())
