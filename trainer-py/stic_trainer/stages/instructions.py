"""Instruction rows: which of them a run uses, and their conversations as messages."""

from __future__ import annotations

from collections.abc import Sequence

from stic_trainer.config.job import Job
from stic_trainer.data.order import sample_without_replacement
from stic_trainer.data.records import InstructionRow, Turn, read_rows
from stic_trainer.method.infusion import split_placeholder
from stic_trainer.modeling.chat import Message
from stic_trainer.runtime.context import StageContext

_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}


def drawn_rows(job: Job, ctx: StageContext) -> list[InstructionRow]:
    """The run's share of the instruction rows: the same in every stage, because only the seed decides."""
    rows = list(read_rows(ctx.store.blob(job.input("instructions").sha256), InstructionRow))
    return [rows[index] for index in sample_without_replacement(job.recipe.seed, len(rows), job.recipe.describe.max_rows)]


def to_messages(turns: Sequence[Turn], *, with_image: bool) -> list[Message]:
    """ValueError where placeholders and image do not fit together or no assistant answers."""
    messages: list[Message] = []
    for turn in turns:
        held, text = split_placeholder(turn.value)
        first = not any(message.role == "user" for message in messages) and turn.sender == "human"
        if held and not (first and with_image):
            raise ValueError("an image placeholder where no image belongs: it must be in the first human turn of a row with an image")
        messages.append(Message(_ROLES[turn.sender], text, image=first and with_image))
    if not any(message.role == "assistant" for message in messages):
        raise ValueError("no assistant's turn to learn from")
    return messages
