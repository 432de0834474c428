"""The environment of the processes that a sidecar starts."""

from __future__ import annotations

import os
from pathlib import Path


def worker_environment() -> dict[str, str]:
    """Nothing is fetched from a model hub, and threads that wait do not keep the others from working.

    OpenMP's threads spin for a millisecond before they sleep. Where other processes want the cores too, that made generation with
    two threads twenty times slower than with one. 1000 turns are what libgomp itself takes when it knows of too few cores.
    """
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}
    waiting = {} if "OMP_WAIT_POLICY" in os.environ else {"GOMP_SPINCOUNT": "1000"}
    package_root = str(Path(__file__).resolve().parents[2])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**waiting, **os.environ, **quiet, "PYTHONPATH": os.pathsep.join(paths)}
