"""The offline twin of a job: the same stage over the same context, with the terminal in place of journal and sidecar."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from typing import Any

from stic_trainer.config.job import ArtifactKind, Job, JobInput, StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.errors import StageError, Stopped
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.sinks import TerminalSink
from stic_trainer.runtime.stop import StopSignal
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.worker import default_threads, run_stage

_TREES = frozenset({"adapter", "stage1", "stage2", "champion", "start"})


def run_offline(options: argparse.Namespace) -> int:
    """Runs ``python -m stic_trainer stage``; 0 when the stage succeeded. Ctrl-C leaves the work folder resumable."""
    stop = StopSignal()
    stop.install()
    try:
        recipe = load_recipe(options.preset, _overrides(options.set))
        inputs = tuple(_input(text) for text in options.input)
        job = Job(job_id="offline", run_id="offline", kind=StageKind(options.kind), recipe=recipe, inputs=inputs)
        ctx = StageContext(sink=TerminalSink(), store=Store(options.store), work=options.work, stop=stop)
        run_stage(job, ctx, threads=options.threads or default_threads())
    except Stopped as stopped:
        print(f"\nstopped: {stopped}; run the same command again to go on", file=sys.stderr)
        return 1
    except Exception as error:
        if not isinstance(error, StageError):
            traceback.print_exc()
        failure = job_error(error, options.store)
        print(f"\n{failure['code']}: {failure['message']} {failure['subject']}\n{failure['hint']}", file=sys.stderr)
        return 1
    return 0


def _overrides(texts: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for text in texts:
        path, _, value = text.partition("=")
        *parents, leaf = path.split(".")
        target = result
        for parent in parents:
            target = target.setdefault(parent, {})
        try:
            target[leaf] = json.loads(value)
        except json.JSONDecodeError:
            target[leaf] = value
    return result


def _input(text: str) -> JobInput:
    role, _, sha256 = text.partition("=")
    kind = ArtifactKind.TREE if role in _TREES else ArtifactKind.BLOB
    return JobInput(role=role, name="", sha256=sha256, kind=kind, metadata={})
