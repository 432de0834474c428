"""A list of image names: a JSON list of strings, JSON lines, or a text file with one name a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem
from stic_trainer.data.json_stream import open_text, read_elements, text_errors
from stic_trainer.errors import StageError

_JSON_STARTS = ("[", "{", '"')


def read_image_list(path: Path, task: Import) -> set[str]:
    """The distinct names; each further mention of a name is counted as a repeat. Entries that are no names become problems.

    StageError DATA_INVALID when there is no such file or it cannot be read.
    """
    if not path.is_file():
        what = "this is a folder, not a list of image names" if path.is_dir() else "no such file"
        raise StageError("DATA_INVALID", what, str(path), "Give a JSON list of image names, or a text file with one name a line.")
    names: set[str] = set()
    for number, entry in enumerate(_entries(path), start=1):
        if not isinstance(entry, str) or not entry.strip():
            task.problem(Problem(f"entry {number}", "ROW_INVALID", f"entry {number} of the image list is not the name of an image"))
            continue
        name = PurePosixPath(entry.replace("\\", "/")).as_posix()
        task.repeats += name in names
        names.add(name)
    return names


def _entries(path: Path) -> Iterator[object]:
    with open_text(path) as file, text_errors(path):
        lines = (line.strip("\r\n") for line in file if line.strip())
        first = next(lines, "")
        if not first.lstrip().startswith(_JSON_STARTS):
            yield from (first, *lines) if first else ()
            return
    yield from read_elements(path)
