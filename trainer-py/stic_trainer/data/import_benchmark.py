"""A benchmark folder as a dataset: benchmark.json, items.jsonl and the images that the items name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stic_trainer.benchmarks.registry import benchmark_names
from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem, ingest_image
from stic_trainer.data.json_stream import read_elements
from stic_trainer.data.media import unread_field, unread_placeholder
from stic_trainer.data.records import BenchmarkHeader, BenchmarkItem
from stic_trainer.errors import StageError


def import_benchmark(source: Path, task: Import) -> None:
    """Writes header and items of the benchmark in the folder ``source``."""
    if not source.is_dir():
        raise StageError("DATA_INVALID", "no such folder", str(source), "Give a folder with benchmark.json and items.jsonl.")
    header = _header(source / "benchmark.json")
    items = source / "items.jsonl"
    if not items.is_file():
        raise StageError("DATA_INVALID", "the benchmark folder has no items.jsonl", str(items))
    task.benchmark = header.benchmark
    task.line(header)
    task.expect(sum(1 for _ in read_elements(items)), "items")
    folder = task.folder(source)
    images = task.once(lambda name: ingest_image(task.store, folder, folder.locate(name), name))
    seen: dict[str, int] = {}

    def drafts() -> Iterator[tuple[tuple[int, dict[str, Any]] | Problem, Any]]:
        for number, element in enumerate(read_elements(items), start=1):
            problem = _problem(number, element, seen)
            image = None if problem else element.get("image")
            yield problem or (number, element), images(image) if image is not None else None

    for draft, image in task.window(drafts()):
        if isinstance(draft, Problem):
            task.problem(draft)
        elif isinstance(image, Problem):
            task.problem(Problem(image.name, image.code, f"row {draft[0]} ({draft[1]['id']}): {image.reason}"))
        else:
            fields = draft[1]
            item = BenchmarkItem(
                name=str(fields["id"]),
                prompt=fields["prompt"],
                answer=fields.get("answer"),
                kind=fields.get("kind") or "",
                truth=fields.get("truth") or {},
                image=image,
            )
            task.item(item, image.bytes if image else 0)
        task.advance()


def _header(path: Path) -> BenchmarkHeader:
    try:
        fields = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise StageError("DATA_INVALID", "the benchmark folder has no benchmark.json", str(path)) from None
    except (ValueError, OSError) as error:
        raise StageError("DATA_INVALID", f"benchmark.json cannot be read: {error}", str(path)) from error
    fields = fields if isinstance(fields, dict) else {}
    name, scorer, version = fields.get("name"), fields.get("scorer"), fields.get("version", 1)
    for key, value in (("name", name), ("scorer", scorer)):
        if not isinstance(value, str) or not value:
            raise StageError("DATA_INVALID", f"benchmark.json lacks the field {key}", str(path))
    if isinstance(version, bool) or not isinstance(version, int | str):
        raise StageError("DATA_INVALID", f"benchmark.json has version {version!r}, not text or a whole number", str(path))
    if scorer not in benchmark_names():
        raise StageError("DATA_INVALID", f"the scorer {scorer!r} is not known; known: {', '.join(benchmark_names())}", str(path))
    return BenchmarkHeader(benchmark=str(name), scorer=str(scorer), version=version)


def _problem(number: int, element: object, seen: dict[str, int]) -> Problem | None:
    def invalid(reason: str) -> Problem:
        return Problem(f"row {number}", "ROW_INVALID", f"row {number}: {reason}")

    if not isinstance(element, dict):
        return invalid("it is not an object")
    name = element.get("id")
    if name is None or isinstance(name, bool) or not isinstance(name, str | int):
        return invalid("field id is missing" if name is None else f"field id is {name!r}, not text or a whole number")
    if not isinstance(element.get("prompt"), str) or not element["prompt"].strip():
        return invalid("field prompt is missing or empty")
    for key, kind, words in (("image", str, "text"), ("answer", str, "text"), ("kind", str, "text"), ("truth", dict, "an object")):
        if element.get(key) is not None and not isinstance(element[key], kind):
            return invalid(f"field {key} is not {words}")
    others = {key: value for key, value in element.items() if key != "image"}
    unread = unread_field(others, element.get("image")) or unread_placeholder("prompt", element["prompt"])
    if unread:
        return invalid(unread)
    try:
        text = json.dumps(element, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:
        return invalid("it holds NaN, an infinity or half of a surrogate pair")
    if b"\\u0000" in text.replace(b"\\\\", b""):
        return invalid("it holds a NUL character")
    first = seen.setdefault(str(name), number)
    if first != number:
        return Problem(str(name), "DUPLICATE_NAME", f"row {number}: the id {name!r} is already that of row {first}")
    return None
