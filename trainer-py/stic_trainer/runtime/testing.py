"""For tests: job folders of the stage that needs no model, and a blob that holds a stage up until the test lets it go."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stic_trainer.config.presets import load_recipe
from stic_trainer.data.records import Description, InstructionRow, Record, Turn, to_json, to_line
from stic_trainer.runtime.jobfolder import JobFolder
from stic_trainer.runtime.journal import read_lines
from stic_trainer.runtime.store import Store


def job_folder(
    path: Path, inputs: Mapping[str, str], *, resume_from: str = "", changed: Mapping[str, Any] = MappingProxyType({})
) -> JobFolder:
    """A folder of stage infuse as the sidecar makes it; inputs are sha256s by role, ``changed`` replaces fields of the job."""
    path.mkdir(parents=True)
    listed = [{"role": role, "name": "", "sha256": sha, "kind": "ARTIFACT_KIND_BLOB", "metadata": {}} for role, sha in inputs.items()]
    job = {"job_id": path.name, "run_id": "run", "kind": "STAGE_KIND_INFUSE", "recipe": to_json(load_recipe("tiny"))}
    job |= {"inputs": listed, "resume_from_job_id": resume_from, **changed}
    folder = JobFolder(path)
    folder.job.write_text(json.dumps(job), "utf-8")
    return folder


def text_rows(store: Store, count: int = 3) -> str:
    """Instruction rows without images, as a blob."""
    turns = (Turn(sender="human", value="How many?"), Turn(sender="gpt", value="Two."))
    return put_lines(store, [InstructionRow(name=f"row {number}", conversations=turns, image=None) for number in range(count)])


def no_descriptions(store: Store) -> str:
    return put_lines(store, list[Description]())


def put_lines(store: Store, records: Sequence[Record]) -> str:
    return store.put_blob_bytes("".join(to_line(record) + "\n" for record in records).encode())


class Gate:
    """A blob that is a pipe: whoever reads it waits until ``open``, and then finds it empty."""

    def __init__(self, store: Store, sha256: str = "f" * 64) -> None:
        self.sha256 = sha256
        self._path = store.root / "blobs" / sha256[:2] / sha256
        self._path.parent.mkdir(exist_ok=True)
        os.mkfifo(self._path)

    def open(self) -> None:
        with open(self._path, "wb"):
            pass


def events_of(folder: JobFolder) -> list[dict[str, Any]]:
    return [json.loads(line.text) for line in read_lines(folder.events, limit=1 << 24)]
