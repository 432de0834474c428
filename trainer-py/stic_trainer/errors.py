"""What may end a stage early: an error a person can act on, or a stop that was asked for."""

from __future__ import annotations


class StageError(Exception):
    """A failure that says why and what to do. ``code`` is one of JobError's codes in trainer.proto.

    subject: the file or recipe field at fault ("" when there is none). hint: the next step for the user. transient: a retry
    of the same job may succeed.
    """

    def __init__(self, code: str, message: str, subject: str = "", hint: str = "", transient: bool = False) -> None:
        super().__init__(f"{code}: {message}" + (f" [{subject}]" if subject else ""))
        self.code = code
        self.message = message
        self.subject = subject
        self.hint = hint
        self.transient = transient


class Stopped(Exception):
    """The job was asked to stop and has left its work resumable."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is a lack of memory, of the machine's or of an accelerator's."""
    # By name, so that torch is not imported by stages that do not need it. The CPU allocator raises a RuntimeError.
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or (isinstance(error, RuntimeError) and ("out of memory" in str(error) or "can't allocate memory" in str(error)))
