"""Exceptions as JobError: what a person reads when a job fails. The traceback stays in the process's log."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError, is_out_of_memory


def job_error(error: BaseException, store: Path, log: Path | None = None) -> dict[str, Any]:
    """The proto-JSON JobError of ``error``.

    store: where free space is measured when the disk is full. log: the file that holds the traceback of an unknown error; None for
    the process's standard error.
    """
    known = _as_stage_error(error, store, log)
    return {
        "code": known.code,
        "message": known.message,
        "subject": known.subject,
        "hint": known.hint,
        "transient": known.transient,
    }


def is_lost_peer(error: BaseException) -> bool:
    """Whether the cause is another process of the job that has ended: gloo says so in words, NCCL by its type."""
    words = ("Connection closed by peer", "Connection reset by peer")
    kinds = ("DistBackendError", "DistNetworkError")
    return any(type(cause).__name__ in kinds or any(text in str(cause) for text in words) for cause in _causes(error))


def _as_stage_error(error: BaseException, store: Path, log: Path | None) -> StageError:
    if isinstance(error, StageError):
        return error
    if any(_is_disk_full(cause) for cause in _causes(error)):
        free = shutil.disk_usage(store).free
        return StageError("DISK_FULL", f"the disk is full ({free:,} bytes free)", str(store), "Free space on this disk, then retry.", True)
    if any(is_out_of_memory(cause) for cause in _causes(error)):
        hint = "Lower max_batch_tokens or max_micro_batch_tokens of the recipe, or use a machine with more memory."
        return StageError("OUT_OF_MEMORY", _short(error), "", hint)
    where = "on standard error" if log is None else f"in {log}"
    return StageError("INTERNAL", f"{type(error).__name__}: {_short(error)}", "", f"The traceback is {where}.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _is_disk_full(error: BaseException) -> bool:
    # safetensors reports its own error type, with the system's words.
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left on device" in str(error)


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else "no message"
    return text if len(text) <= 300 else text[:300] + "..."
