"""Each description is put between the image and the first question of its row (Algorithm 2, second half). Text only, no model.

Rows without an image keep their text. A row whose image was not described is left out; stage describe has said why.

Reads instructions and descriptions. Writes infused.
"""

from __future__ import annotations

import dataclasses

from stic_trainer.config.job import Job
from stic_trainer.data.records import Description, InfusedRow, InstructionRow, Turn, read_rows, write_rows
from stic_trainer.errors import StageError
from stic_trainer.method.infusion import infuse_turn
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.instructions import drawn_rows, to_messages
from stic_trainer.stages.skipped import Skipped


def run(job: Job, ctx: StageContext) -> None:
    source = job.input("descriptions")
    ctx.phase("infusing descriptions")
    descriptions = {row.name: row.description for row in read_rows(ctx.store.blob(source.sha256), Description)}
    rows = drawn_rows(job, ctx)
    skipped = Skipped(ctx, total=len(rows), stage="describe", max_fraction=job.recipe.describe.max_skipped_fraction)
    infused: list[InfusedRow] = []
    for row in rows:
        ctx.check_stop()
        description = descriptions.get(row.name)
        if row.image is not None and description is None:
            continue
        try:
            infused.append(_infuse_row(row, description, job.recipe.infuse.template))
        except ValueError as error:
            skipped.add(row.name, "ROW_INVALID", str(error))
    if not infused:
        raise StageError("DATA_INVALID", "no row is left", "instructions", "look at the skipped items for the reasons")
    skipped.check()
    path = ctx.work / "infused.jsonl"
    write_rows(path, infused)
    ctx.progress(len(infused), len(infused), unit="rows")
    ctx.publish_blob("infused", path, "application/jsonl", len(infused), source.metadata)


def _infuse_row(row: InstructionRow, description: str | None, template: str) -> InfusedRow:
    to_messages(row.conversations, with_image=row.image is not None)
    turns = list(row.conversations)
    if row.image is not None and description is not None:
        at = next((index for index, turn in enumerate(turns) if turn.sender == "human"), None)
        if at is None:
            raise ValueError("no human turn to put the description into")
        turns[at] = _infused(turns[at], description, template)
    return InfusedRow(name=row.name, image=row.image.ref if row.image else None, conversations=tuple(turns))


def _infused(turn: Turn, description: str, template: str) -> Turn:
    return dataclasses.replace(turn, value=infuse_turn(template, description=description, turn=turn.value))
