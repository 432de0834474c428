"""Both sides of the preference pairs of 200 images: our stage beside one image and one prompt at a time, texts compared."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stic_bench import data, ours
from stic_bench.bench import Bench
from stic_bench.plain import Plain
from stic_bench.result import Result
from stic_trainer.config.job import Recipe, StageKind
from stic_trainer.data.records import ImageItem, Pair, read_rows, write_rows
from stic_trainer.runtime.store import Store
from stic_trainer.world.model import MODEL_FOLDER


def measure(bench: Bench) -> list[Result]:
    count = 16 if bench.quick else 200
    images = data.scenes(bench.store, bench.folder / "scenes", count)
    write_rows(bench.folder / "images.jsonl", images)
    manifest, _ = bench.store.put_blob_file(bench.folder / "images.jsonl")
    settings = ours.recipe("tiny", MODEL_FOLDER, {"prefer": {"max_images": 0, "generation": {"temperature": 0}}} | ours.levers())
    plain = Plain(MODEL_FOLDER)
    result = Result(
        name=f"preference generation, {count} images, embedded world, temperature 0",
        yardstick="one image and one prompt at a time",
        unit="s",
        wanted="5x",
    )
    different = compared = 0
    for _ in range(bench.pairs):
        pairs, said, seconds = _ours(bench, settings, manifest)
        start = time.perf_counter()
        plainly = _plainly(bench.store, plain, settings, pairs, images)
        theirs = time.perf_counter() - start
        result.ours.append(seconds)
        # Images whose sides were equal are no pairs; the yardstick did not have to describe them.
        result.theirs.append(theirs * len(said) / len(plainly))
        compared += len(plainly)
        different += sum(said[key] != text for key, text in plainly.items())
    result.agreement = f"{compared - different} of {compared} texts the same"
    result.agrees = different == 0
    return [result]


def _ours(bench: Bench, settings: Recipe, manifest: str) -> tuple[list[Pair], dict[str, str], float]:
    """Pairs, every text by its key, and the seconds from the first prompt to the last text."""
    marks: dict[str, float] = {}
    texts: dict[str, str] = {}
    work = bench.fresh("prefer")

    def at(kind: str, body: Mapping[str, Any]) -> None:
        if kind == "progress" and body["phase"] == "generating both sides":
            marks.setdefault("begin", time.perf_counter())
        if kind == "artifact":
            marks["end"] = time.perf_counter()
            rows = [json.loads(line) for line in (work / "texts.jsonl").read_text("utf-8").splitlines()]
            texts.update({row["key"]: row["text"] for row in rows})

    recorder = ours.run(
        StageKind.PREFER, settings, {"images": manifest}, store=bench.store, work=work, threads=bench.threads, recorder=ours.Recorder(at=at)
    )
    return list(read_rows(bench.store.blob(recorder.artifacts["pairs"]), Pair)), texts, marks["end"] - marks["begin"]


def _plainly(store: Store, plain: Plain, settings: Recipe, pairs: list[Pair], images: list[ImageItem]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for pair in pairs:
        clean = store.blob(pair.image.sha256)
        shown: Path = store.blob(pair.corrupted_image) if pair.corrupted_image else clean
        texts[f"{pair.id}#chosen"] = plain.answer(settings.prompts.step_by_step, clean, settings.prefer.generation)
        texts[f"{pair.id}#rejected"] = plain.answer(pair.rejected_prompt, shown, settings.prefer.generation)
    return texts
