"""For tests: an import run here and now, with everything it said and wrote."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from stic_trainer.data.importing import ImportRequest, import_dataset
from stic_trainer.runtime.store import Store


@dataclass(frozen=True)
class Imported:
    problems: dict[str, tuple[str, str]]
    """(code, reason) by name."""
    progress: list[dict[str, Any]]
    result: dict[str, Any]
    failure: dict[str, Any]
    rows: list[dict[str, Any]]
    """The manifest's lines."""

    @property
    def names(self) -> list[str]:
        return [row["name"] for row in self.rows]

    @property
    def codes(self) -> dict[str, str]:
        return {name: code for name, (code, _) in self.problems.items()}


def run_import(kind: str, source: Path, store: Store, image_root: Path | None = None, image_list: Path | None = None) -> Imported:
    out = io.StringIO()
    code = import_dataset(ImportRequest(kind=kind, source=source, image_root=image_root, image_list=image_list), store.root, out)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    problems = [event["problem"] for event in events if "problem" in event]
    by_name = {problem["name"]: (problem["code"], problem["reason"]) for problem in problems}
    assert len(by_name) == len(problems), "two problems have one name"
    last = events[-1]
    assert ("result" in last, "failure" in last, code) in ((True, False, 0), (False, True, 1))
    result, failure = last.get("result", {}), last.get("failure", {})
    rows = []
    if result:
        assert result["skipped"] == len(problems)
        rows = [json.loads(line) for line in store.blob(result["manifest_sha256"]).read_text("utf-8").splitlines()]
    progress = [event["progress"] for event in events if "progress" in event]
    return Imported(by_name, progress, result, failure, rows)


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
