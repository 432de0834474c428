"""A folder of images as a dataset: found recursively, checked in parallel, written in the order of their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stic_trainer.data.images import UNMISTAKABLE, is_image_name
from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem, ingest_image
from stic_trainer.data.records import ImageItem
from stic_trainer.errors import StageError


def import_images(source: Path, task: Import) -> None:
    """Writes the manifest of the images below ``source``."""
    if not source.is_dir():
        what = "this is a file, not a folder" if source.exists() else "no such folder"
        raise StageError("DATA_INVALID", what, str(source), "Give a folder with images on the trainer's machine.")
    root = source.resolve()
    found = sorted(find_files(root, task))
    task.expect(len(found), "images")
    for outcome in task.parallel(lambda name: _ingest(task, root, name), found):
        if isinstance(outcome, Problem):
            task.problem(outcome)
        elif outcome is not None:
            task.item(outcome, outcome.bytes)
        task.advance()


def find_files(root: Path, task: Import) -> Iterator[str]:
    """Names, relative and "/"-separated, of the files below ``root`` that are not hidden. Linked folders are not entered."""
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError as error:
            task.problem(Problem(folder or ".", "UNREADABLE", f"the folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif entry.is_symlink() and Path(entry.path).is_dir():
                if not Path(entry.path).resolve().is_relative_to(root):
                    task.problem(Problem(name, "PATH_ESCAPES", "the link leads to a folder outside of the dataset's"))
            else:
                yield name


def _ingest(task: Import, root: Path, name: str) -> ImageItem | Problem | None:
    """None for a file that neither claims nor happens to be an image."""
    claims = is_image_name(name)
    outcome = ingest_image(task.store, root, root / name, name, formats=None if claims else UNMISTAKABLE)
    return outcome if claims or isinstance(outcome, ImageItem) else None
