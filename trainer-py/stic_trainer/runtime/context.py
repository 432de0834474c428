"""StageContext: everything a stage may do to the world. The same stage runs under a sidecar and, with another sink, offline."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stic_trainer.config.job import ArtifactKind, ModelSpec
from stic_trainer.data.records import ImageRef
from stic_trainer.errors import StageError, Stopped
from stic_trainer.ranks import Ranks
from stic_trainer.runtime.progress import RemainingTime
from stic_trainer.runtime.sinks import Sink
from stic_trainer.runtime.stop import StopSignal
from stic_trainer.runtime.store import Store

PROGRESS_SECONDS = 0.25
EMBEDDED_MODEL = "embedded:world"


class StageContext:
    """One job's connection to journal, artifact store and stop signal.

    store: blobs and trees by sha256. work: a folder that survives the process and is handed to the attempt that resumes it.
    ranks: the processes that share the job. All of them run the stage; what comes out is published once, by rank 0.
    """

    def __init__(self, *, sink: Sink, store: Store, work: Path, stop: StopSignal | None = None) -> None:
        self.store = store
        self.work = work
        self.ranks = Ranks()  # until the stage has met the others
        self._sink = sink
        self._stop = stop or StopSignal()
        self._remaining = RemainingTime()
        self._progress = {"unit": "", "done": 0, "total": 0, "eta_seconds": -1.0, "phase": ""}
        self._progress_sent = float("-inf")
        self._progress_waits = False
        self._state: dict[str, Any] = {"state": "JOB_STATE_RUNNING", "device": "", "dtype": "", "resumed_from_step": 0, "facts": {}}
        work.mkdir(parents=True, exist_ok=True)

    # What is happening

    def progress(self, done: int, total: int, *, unit: str = "", phase: str = "", work: tuple[float, float] | None = None) -> None:
        """Counts ``unit`` (pairs, steps, rows, items, images); sent at most 4 times a second, the last one always.

        work: done and total for the estimate of the time left, where one unit takes longer than another.
        """
        now = time.monotonic()
        new_count = (unit or self._progress["unit"]) != self._progress["unit"] or total != self._progress["total"]
        if new_count:
            self._remaining.restart()
        self._progress = {
            "unit": unit or self._progress["unit"],
            "done": done,
            "total": total,
            "eta_seconds": round(self._remaining.eta_seconds(now, *(work or (done, total))), 1),
            "phase": phase or self._progress["phase"],
        }
        self._progress_waits = True
        if new_count or done >= total or now - self._progress_sent >= PROGRESS_SECONDS:
            self._send_progress(now)

    def phase(self, text: str) -> None:
        """Says in words what begins now; the count starts anew with the next ``progress``."""
        self.flush()
        self._remaining.restart()
        self._progress = {"unit": "", "done": 0, "total": 0, "eta_seconds": -1.0, "phase": text}
        self._send_progress(time.monotonic())

    def metric(self, name: str, step: int, value: float) -> None:
        """One point of a series. A value that is not finite is logged: charts and JSON have no place for it."""
        if not math.isfinite(value):
            self.log(f"{name} is {value} at step {step}", "warning")
        else:
            self._sink.emit("metric", {"name": name, "step": step, "value": value})

    def log(self, message: str, level: str = "info") -> None:
        """level: info | warning | error."""
        self._sink.emit("log", {"level": level, "message": message})

    def sample(self, subject: str, image: ImageRef, prompt: str, text: str) -> None:
        """What ``subject`` (base | stage1 | stage2) said about an image."""
        body = {"subject": subject, "image_sha256": image.sha256, "image_name": image.name, "prompt": prompt, "text": text}
        self._sink.emit("sample", body)

    def skip(self, name: str, code: str, reason: str) -> None:
        """An item left out. Codes: ImportProblem's, and EQUAL_SIDES, TOO_LONG, EMPTY_TEXT."""
        self._sink.emit("skipped", {"name": name, "code": code, "reason": reason})

    def evaluation(self, score: Mapping[str, Any]) -> None:
        """One cell of the comparison, with the field names of EvaluationScore."""
        self._sink.emit("evaluation", dict(score))

    def facts(self, **facts: str) -> None:
        """Facts of the run's record; ``device``, ``dtype`` and ``resumed_from_step`` have fields of their own."""
        for name, value in facts.items():
            if name in ("device", "dtype"):
                self._state[name] = value
            elif name == "resumed_from_step":
                self._state[name] = int(value)
            else:
                self._state["facts"][name] = str(value)
        self._sink.emit("state", {**self._state, "facts": dict(self._state["facts"])}, durable=True)

    # What comes out

    def publish_blob(self, name: str, path: Path, media_type: str, items: int = 0, metadata: Mapping[str, str] | None = None) -> str:
        """Puts a file into the store as this job's artifact ``name``; its sha256 ("" in all but rank 0)."""
        if self.ranks.rank > 0:
            return ""
        sha256, size = self.store.put_blob_file(path)
        return self._publish(name, ArtifactKind.BLOB, sha256, size, media_type, items, metadata)

    def publish_tree(self, name: str, folder: Path, metadata: Mapping[str, str] | None = None) -> str:
        """Puts a folder into the store as this job's artifact ``name``; its tree digest ("" in all but rank 0)."""
        if self.ranks.rank > 0:
            return ""
        sha256, size = self.store.put_tree(folder)
        return self._publish(name, ArtifactKind.TREE, sha256, size, "", 0, metadata)

    # When to end, and where the model is

    @property
    def stop_requested(self) -> bool:
        """Whether any process of the job was asked to stop: a meeting, like ``check_stop``."""
        return self.ranks.any(self._stop.requested)

    def check_stop(self) -> None:
        """Raises Stopped once a stop was asked for. Call it where the work on disk is resumable."""
        if self.stop_requested:
            raise Stopped("a stop was asked for")

    def model_path(self, spec: ModelSpec) -> Path:
        """The model's folder; StageError MODEL_INVALID when there is none."""
        path = resolve_model(spec.path)
        if not path.is_dir():
            raise StageError("MODEL_INVALID", "no such folder", spec.path, "Give the path of a Hugging Face model folder on this machine.")
        return path

    def flush(self) -> None:
        """Sends progress that the rate limit holds back."""
        if self._progress_waits:
            self._send_progress(time.monotonic())

    def _send_progress(self, now: float) -> None:
        self._sink.emit("progress", self._progress)
        self._progress_sent = now
        self._progress_waits = False

    def _publish(
        self, name: str, kind: ArtifactKind, sha256: str, size: int, media_type: str, items: int, metadata: Mapping[str, str] | None
    ) -> str:
        self.flush()
        body = {
            "name": name,
            "kind": kind.value,
            "sha256": sha256,
            "bytes": str(size),
            "media_type": media_type,
            "items": items,
            "metadata": dict(metadata or {}),
        }
        self._sink.emit("artifact", body, durable=True)
        return sha256


def resolve_model(path: str) -> Path:
    """The folder of a model path: "embedded:world" is the package's own."""
    return Path(__file__).resolve().parents[1] / "world" / "model" if path == EMBEDDED_MODEL else Path(path)
