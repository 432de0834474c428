"""The folder an import may read: what lies in it, and what links lead to from it into the folders of STIC_DATA_ROOTS."""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stic_trainer.errors import StageError

VARIABLE = "STIC_DATA_ROOTS"
ESCAPES = f"the path leads out of the dataset's folder; {VARIABLE} may name other folders that links may lead to"


@dataclass(frozen=True)
class Folder:
    """All three are resolved. ``root``: the dataset's own. ``allowed``: where links may lead. ``private``: where they never may."""

    root: Path
    allowed: tuple[Path, ...] = ()
    private: tuple[Path, ...] = ()

    def admits(self, resolved: Path) -> bool:
        if resolved.is_relative_to(self.root):
            return True
        return _below(resolved, self.allowed) and not _below(resolved, self.private)

    def locate(self, relative: str) -> Path:
        """``relative`` (either slash, as data sets from other systems have it) below the folder; may still lead out of it."""
        return self.root / relative.replace("\\", "/")


def allowed_roots() -> tuple[Path, ...]:
    """The folders of STIC_DATA_ROOTS. StageError when one of them is not an absolute path."""
    roots = []
    for text in filter(None, os.environ.get(VARIABLE, "").split(":")):
        if not Path(text).is_absolute():
            raise StageError("DATA_INVALID", f"{text!r} is not an absolute path", VARIABLE, "Name whole paths, separated by colons.")
        roots.append(Path(text).resolve())
    return tuple(roots)


def same_stem(path: Path) -> str | None:
    """The name of a file beside ``path`` that differs from it by its ending or in case, as OCR-VQA's .gif for the rows' .jpg."""
    return _names_by_stem(path.parent).get(path.stem.lower())


@functools.lru_cache(maxsize=16)
def _names_by_stem(folder: Path) -> dict[str, str]:
    """One name for each lower-case stem in the folder: folders of 100,000 files are listed once for all that is missing in them."""
    names: dict[str, list[str]] = defaultdict(list)
    try:
        for entry in os.scandir(folder):
            names[Path(entry.name).stem.lower()].append(entry.name)
    except OSError:
        return {}
    return {stem: min(found) for stem, found in names.items()}


def _below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
