"""The product's own stages, as they run under the sidecar, with a sink that ends a turn at each step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stic_trainer.config.job import ArtifactKind, Job, JobInput, Recipe, StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.worker import run_stage

_TREES = ("adapter", "stage1", "stage2")


def recipe(preset: str, model: Path | str, overrides: Mapping[str, Any]) -> Recipe:
    return load_recipe(preset, {**json.loads(json.dumps(overrides)), "model": {"path": str(model)}})


@dataclass
class Recorder:
    """Keeps metrics and artifacts; ``at`` is called for every event, before the stage goes on."""

    at: Callable[[str, Mapping[str, Any]], None] = lambda kind, body: None
    series: dict[str, list[float]] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        if kind == "metric":
            self.series.setdefault(body["name"], []).append(body["value"])
        elif kind == "artifact":
            self.artifacts[body["name"]] = body["sha256"]
        elif kind == "skipped":
            self.skipped.append(f"{body['name']}: {body['reason']}")
        self.at(kind, body)


def run(
    kind: StageKind,
    settings: Recipe,
    inputs: Mapping[str, str] | list[tuple[str, str, str]],
    *,
    store: Store,
    work: Path,
    threads: int,
    recorder: Recorder | None = None,
) -> Recorder:
    """Runs a stage here and now. inputs: role to sha256, or (role, name, sha256) where a role comes several times."""
    recorder = recorder or Recorder()
    listed = inputs if isinstance(inputs, list) else [(role, "", sha256) for role, sha256 in inputs.items()]
    job_inputs = tuple(
        JobInput(role=role, name=name, sha256=sha, kind=ArtifactKind.TREE if role in _TREES else ArtifactKind.BLOB, metadata={})
        for role, name, sha in listed
    )
    job = Job(job_id="bench", run_id="bench", kind=kind, recipe=settings, inputs=job_inputs)
    run_stage(job, StageContext(sink=recorder, store=store, work=work), threads=threads)
    return recorder


def ends_turns(pause: Callable[[], None], last_metric: str) -> Callable[[str, Mapping[str, Any]], None]:
    """Ends a turn when training begins and then after every step."""

    def at(kind: str, body: Mapping[str, Any]) -> None:
        begins = kind == "progress" and body["phase"] == "training" and body["total"] == 0
        if begins or (kind == "metric" and body["name"] == last_metric):
            pause()

    return at


def levers() -> dict[str, Any]:
    """Overrides that make both sides trade memory for time alike: activations are kept."""
    return {"speed": {"gradient_checkpointing": False}} if "speed" in Recipe.__dataclass_fields__ else {}
