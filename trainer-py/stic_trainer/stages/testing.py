"""For tests: stages run here and now on a tiny random model, over a store of their own, and everything they say is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stic_trainer.config.job import ArtifactKind, Job, JobInput, StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.data.records import ImageItem, ImageRef, Pair, Record, write_rows
from stic_trainer.errors import Stopped
from stic_trainer.modeling.testing import TinyLora, add_random_adapter, paint, save_tiny_model, tiny_policy
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.stop import StopSignal
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.worker import run_stage

PROMPTS = {
    "name": "test",
    "version": 1,
    "digest": "",
    "step_by_step": "Describe it well.",
    "plain": ["Describe.", "What is it?"],
    "misleading": ["Invent."],
    "describe_and_respond": "Say.",
}

Event = tuple[str, Mapping[str, Any]]


class Recorder:
    """Keeps every event. ``stop`` is asked for as soon as ``stop_when`` says so."""

    def __init__(self, stop_when: Callable[[str, Mapping[str, Any]], bool] | None = None) -> None:
        self.events: list[Event] = []
        self.stop = StopSignal()
        self._stop_when = stop_when

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        self.events.append((kind, body))
        if self._stop_when is not None and self._stop_when(kind, body):
            self.stop.request()

    def bodies(self, kind: str) -> list[Mapping[str, Any]]:
        return [body for name, body in self.events if name == kind]

    def artifact(self, name: str) -> Mapping[str, Any]:
        (found,) = [body for body in self.bodies("artifact") if body["name"] == name]
        return found

    def series(self, name: str) -> dict[int, float]:
        return {body["step"]: body["value"] for body in self.bodies("metric") if body["name"] == name}

    def metrics(self) -> set[str]:
        return {body["name"] for body in self.bodies("metric")}

    def facts(self) -> dict[str, str]:
        found: dict[str, str] = dict(self.bodies("state")[-1]["facts"])
        return found

    def skipped(self) -> dict[str, str]:
        """Codes by item."""
        return {body["name"]: body["code"] for body in self.bodies("skipped")}


class Laboratory:
    """A tiny model, a store, and jobs on them. ``overrides`` are of preset tiny, sized for the model."""

    def __init__(self, folder: Path, model: str = "llava-llama") -> None:
        self.folder = folder
        self.model = save_tiny_model(folder / "model", model)
        self.store = Store(folder / "store")
        self._rows = 0

    def recipe_fields(self, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
        lora = {"rank": 4, "alpha": 8, "dropout": 0.1}
        optimizer = {"learning_rate": 0.01, "batch_size": 2, "epochs": 1, "warmup_ratio": 0}
        short = {"max_new_tokens": 12, "temperature": 0.5}
        fields: dict[str, Any] = {
            "model": {"path": str(self.model)},
            "prompts": PROMPTS,
            "prefer": {"generation": short, "max_batch_tokens": 400},
            "dpo": {"lora": lora, "optimizer": optimizer},
            "describe": {"generation": short, "max_batch_tokens": 400},
            "sft": {"optimizer": optimizer},
        }
        return _merged(fields, overrides or {})

    def job(
        self,
        kind: StageKind,
        inputs: Mapping[str, str],
        overrides: dict[str, Any] | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        preset: str = "tiny",
    ) -> Job:
        """``inputs``: sha256 by role."""
        trees = {"adapter", "stage1", "stage2"}
        listed = tuple(
            JobInput(
                role=role,
                name="",
                sha256=sha256,
                kind=ArtifactKind.TREE if role in trees else ArtifactKind.BLOB,
                metadata=metadata or {},
            )
            for role, sha256 in inputs.items()
        )
        return Job(job_id="job", run_id="run", kind=kind, recipe=load_recipe(preset, self.recipe_fields(overrides)), inputs=listed)

    def run(self, job: Job, work: Path, stop_when: Callable[[str, Mapping[str, Any]], bool] | None = None) -> Recorder:
        """Runs the stage to its end, or to where it stops; StageError as the stage raises it."""
        recorder = Recorder(stop_when)
        ctx = StageContext(sink=recorder, store=self.store, work=work, stop=recorder.stop)
        try:
            run_stage(job, ctx, threads=1)
        except Stopped:
            assert stop_when is not None
        return recorder

    def put_rows(self, rows: Sequence[Record]) -> str:
        """The rows as a blob; its sha256."""
        self._rows += 1
        path = self.folder / f"rows-{self._rows}.jsonl"
        write_rows(path, rows)
        return self.store.put_blob_file(path)[0]

    def put_image(self, name: str, size: tuple[int, int] = (40, 40), *, seed: int = 0) -> ImageItem:
        image = paint(self.folder / "painted", size, seed=seed)
        sha256 = self.store.put_blob_bytes(image.path.read_bytes())
        width, height = size
        return ImageItem(
            name=name, sha256=sha256, bytes=image.path.stat().st_size, width=width, height=height, format="PNG", mode="RGB", thumbnail=""
        )

    def put_adapter(self, seed: int = 1) -> str:
        """A checkpoint of stage 1, with random weights in both halves; its digest."""
        policy = tiny_policy(self.model)
        add_random_adapter(policy, TinyLora(dropout=0.1), seed=seed)
        folder = self.folder / f"adapter-{seed}"
        policy.adapters.save(folder)
        return self.store.put_tree(folder)[0]


def pair_of(image: ImageItem | ImageRef, chosen: str, rejected: str, *, prompt: str = "Describe.") -> Pair:
    return Pair(
        id=image.name,
        index=0,
        image=image,
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        made_by="misleading_prompt",
        rejected_prompt="Invent.",
        corrupted_image=None,
        corruption_parameters={},
        seed=0,
    )


def after_step(step: int, metric: str) -> Callable[[str, Mapping[str, Any]], bool]:
    """For ``stop_when``: once ``metric`` was reported for ``step``."""
    return lambda kind, body: kind == "metric" and body["name"] == metric and body["step"] == step


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        inner = result.get(key)
        result[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) and key != "prompts" else value
    return result
