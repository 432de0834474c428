"""A folder of images, or those of them that a list names, as a dataset: checked in parallel, written in the order of their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stic_trainer.data.folder import ESCAPES, Folder
from stic_trainer.data.formats import HEAD_BYTES, formats_for, is_image_name, signature_of
from stic_trainer.data.image_list import read_image_list
from stic_trainer.data.import_task import Import
from stic_trainer.data.ingest import Problem, ingest_image
from stic_trainer.data.records import ImageItem
from stic_trainer.errors import StageError


def import_images(source: Path, image_list: Path | None, task: Import) -> None:
    """Writes the manifest of the images below ``source``, or of those in the file ``image_list``."""
    if not source.is_dir():
        what = "this is a file, not a folder" if source.exists() else "no such folder"
        raise StageError("DATA_INVALID", what, str(source), "Give a folder with images on the trainer's machine.")
    folder = task.folder(source)
    names = sorted(_found(folder, task) if image_list is None else read_image_list(image_list, task))
    task.expect(len(names), "images")
    contents: set[str] = set()
    for outcome in task.parallel(lambda name: _ingest(task, folder, name, listed=image_list is not None), names):
        if isinstance(outcome, Problem):
            task.problem(outcome)
        elif outcome is not None:
            task.item(outcome, outcome.bytes)
            task.duplicates += outcome.sha256 in contents
            contents.add(outcome.sha256)
        task.advance()


def _found(folder: Folder, task: Import) -> Iterator[str]:
    """Names of the files that are worth reading: those that claim to be images by their ending or their first bytes."""
    names = list(find_files(folder, task))
    for name, wanted in zip(names, task.parallel(lambda name: _worth_reading(folder, name), names), strict=True):
        if wanted:
            yield name


def find_files(folder: Folder, task: Import) -> Iterator[str]:
    """Names, relative and "/"-separated, of the files below the folder that are not hidden.

    A linked folder is entered when the link leads to an allowed one, and every folder once: in one that is entered anyway, or a
    second time, there is nothing new.
    """
    entered = {folder.root}
    below = [""]
    while below:
        place = below.pop()
        try:
            entries = sorted(os.scandir(folder.root / place), key=lambda entry: entry.name)
        except OSError as error:
            task.problem(Problem(place or ".", "UNREADABLE", f"the folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            name = f"{place}/{entry.name}" if place else entry.name
            if entry.name.startswith("."):
                continue
            if not Path(entry.path).is_dir():
                yield name
                continue
            target = Path(entry.path).resolve()
            inside = target.is_relative_to(folder.root)
            if not folder.admits(target):
                task.problem(Problem(name, "PATH_ESCAPES", ESCAPES))
            elif target not in entered and not (inside and entry.is_symlink()):
                entered.add(target)
                below.append(name)


def _worth_reading(folder: Folder, name: str) -> bool:
    if is_image_name(name):
        return True
    try:
        path = (folder.root / name).resolve()
        if not (folder.admits(path) and path.is_file()):
            return False
        with open(path, "rb") as file:
            return signature_of(file.read(HEAD_BYTES)) is not None
    except (OSError, ValueError, RuntimeError):
        return False


def _ingest(task: Import, folder: Folder, name: str, *, listed: bool) -> ImageItem | Problem | None:
    """None for a file that neither claims nor happens to be an image."""
    claims = listed or is_image_name(name)
    outcome = ingest_image(task.store, folder, folder.locate(name) if listed else folder.root / name, name, formats=formats_for(name))
    return outcome if claims or isinstance(outcome, ImageItem) else None
