"""What the libraries raise about a model folder, as errors that name the file at fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from stic_trainer.errors import StageError, is_out_of_memory

_MAX_LENGTH = 300

_POINTERS = re.compile(
    r"[^.;:]*\b(report above|above report|pip install|huggingface\.co/models|trust_remote_code)\b[^.;:]*[.;:!]?\s*", re.I
)
"""Parts of a library's message that point to its own output, to a download or to an installation."""


@contextmanager
def library_errors(what: str, subject: str, hint: str = "Fetch the folder again.") -> Iterator[None]:
    """Any exception as StageError MODEL_INVALID "<what>: <its message>"; MODEL_UNSUPPORTED where a library is missing.

    StageError and a lack of memory pass as they are.
    """
    try:
        yield
    except StageError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        code = "MODEL_UNSUPPORTED" if isinstance(error, ImportError) else "MODEL_INVALID"
        raise StageError(code, f"{what}: {readable(error)}", subject, hint) from error


def readable(error: BaseException) -> str:
    """The message of ``error`` in one line of at most 300 characters, without advice that does not apply here."""
    text = " ".join(_POINTERS.sub("", str(error)).split()).rstrip("!. ")
    # Messages of these types are no sentences: a key, an attribute, an operand.
    if not text or isinstance(error, (KeyError, AttributeError, TypeError, IndexError)):
        text = f"{type(error).__name__} {text}".strip()
    return text if len(text) <= _MAX_LENGTH else text[:_MAX_LENGTH] + "..."
