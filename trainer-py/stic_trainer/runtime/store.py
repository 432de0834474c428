"""The artifact store: files and folders named by their sha256. A name that exists is complete and never changes.

Writers write to ``tmp/``, fsync and rename, so two writers of the same content cannot disturb each other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stic_trainer.errors import StageError

RESERVE_BYTES = 64 * 2**20
"""Kept free on the store's disk, so that journals and the database can still say what happened."""

_CHUNK = 1 << 20


class Store:
    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("blobs", "trees", "tmp"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def id(self) -> str:
        """The store's identity, made by whoever asks first."""
        path = self.root / "id"
        if not path.exists():
            draft = self._temporary()
            _write(draft, f"{uuid.uuid4()}\n".encode())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
            sync_folder(self.root)
        return path.read_text("utf-8").strip()

    def blob(self, sha256: str) -> Path:
        """Path of an existing blob. StageError DATA_INVALID when the store does not hold it."""
        return self._existing(self._blob_path(sha256), "blob", sha256)

    def tree(self, sha256: str) -> Path:
        """Path of an existing tree. StageError DATA_INVALID when the store does not hold it."""
        return self._existing(self.root / "trees" / sha256, "tree", sha256)

    def put_blob_bytes(self, data: bytes) -> str:
        """Its sha256. One of many: its name is for good once the blob that names them all is put."""
        digest = hashlib.sha256(data).hexdigest()
        target = self._blob_path(digest)
        if not _refreshed(target):
            self.require_space(len(data))
            with self._draft() as draft:
                _write(draft, data)
                self._publish(draft, target)
        return digest

    def put_blob_file(self, source: Path) -> tuple[str, int]:
        """Copies a file into the store in one pass, for good once this returns; its sha256 and size in bytes."""
        self.require_space(source.stat().st_size)
        with self._draft() as draft:
            digest, size = _copy(source, draft)
            target = self._blob_path(digest)
            if not _refreshed(target):
                self._publish(draft, target)
        for folder in (target.parent, target.parent.parent):
            sync_folder(folder)
        return digest, size

    def put_tree(self, folder: Path) -> tuple[str, int]:
        """Copies a folder into the store; its tree digest and size in bytes."""
        files = tree_files(folder)
        self.require_space(sum(file.stat().st_size for _, file in files))
        draft = self._temporary()
        try:
            lines, total = [], 0
            for name, file in files:
                target = draft / name
                target.parent.mkdir(parents=True, exist_ok=True)
                digest, size = _copy(file, target)
                lines.append(f"{digest}  {name}\n")
                total += size
            for path in [draft, *(path for path in draft.rglob("*") if path.is_dir())]:
                sync_folder(path)
            digest = digest_of_lines(lines)
            final = self.root / "trees" / digest
            if not _refreshed(final):
                try:
                    os.rename(draft, final)
                except OSError:
                    if not final.exists():
                        raise
                sync_folder(final.parent)
            return digest, total
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def require_space(self, needed: int) -> None:
        """StageError DISK_FULL unless ``needed`` bytes fit and the reserve stays free."""
        free = shutil.disk_usage(self.root).free
        if free < needed + RESERVE_BYTES:
            raise disk_full(self.root, needed, free)

    def _blob_path(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    def _existing(self, path: Path, kind: str, sha256: str) -> Path:
        if not sha256 or not path.exists():
            hint = "Do server and trainer share one store?"
            raise StageError("DATA_INVALID", f"the artifact store holds no {kind} {sha256}", sha256, hint)
        return path

    def _temporary(self) -> Path:
        return self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex}"

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        draft = self._temporary()
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _publish(self, draft: Path, target: Path) -> None:
        target.parent.mkdir(exist_ok=True)
        os.rename(draft, target)


def tree_files(folder: Path) -> list[tuple[str, Path]]:
    """(relative "/"-separated name, path) of every file below ``folder``, by name."""
    return sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())


def digest_of_lines(lines: list[str]) -> str:
    """A tree's digest from its "<sha256>  <relative path>\\n" lines."""
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disk_full(where: Path, needed: int, free: int) -> StageError:
    return StageError(
        "DISK_FULL",
        f"{needed:,} bytes are needed and {free:,} are free ({RESERVE_BYTES:,} of them are kept in reserve)",
        str(where),
        "Free space on this disk or put the store on a larger one, then retry.",
        transient=True,
    )


def sync_folder(path: Path) -> None:
    """Makes renames inside a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refreshed(path: Path) -> bool:
    """Whether it exists. Its time then says that it is wanted: who removes old files that no row names yet leaves it."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        return path.exists()
    return True


def _write(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open(source, "rb") as reader, open(target, "xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), size
