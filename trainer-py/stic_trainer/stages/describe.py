"""The stage-1 model describes the images of the instruction rows, each for a plain prompt (Algorithm 2, first half).

Reads instructions and the adapter of stage1. Writes descriptions, one per row with an image.
"""

from __future__ import annotations

from stic_trainer.config.job import Job
from stic_trainer.data.records import Description, write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.errors import StageError
from stic_trainer.method.prompts import pick_plain
from stic_trainer.method.sampling import fold
from stic_trainer.modeling.canary import rows_of
from stic_trainer.modeling.generation import Request
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.images import image_file
from stic_trainer.stages.instructions import drawn_rows
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.stage_setup import load_adapter, metadata, open_policy
from stic_trainer.stages.texts import Texts, write_texts


def run(job: Job, ctx: StageContext) -> None:
    config = job.recipe.describe
    rows = drawn_rows(job, ctx)
    images = {row.name: row.image for row in rows if row.image is not None}
    skipped = Skipped(ctx, total=len(rows), source=job.input("instructions"), stage="describe", max_fraction=config.max_skipped_fraction)
    policy = open_policy(job, ctx)

    seeds = {name: item_seed(job.recipe.seed, "describe", name) for name in images}
    prompts = {name: pick_plain(seed, job.recipe.prompts.plain) for name, seed in seeds.items()}
    requests = [Request(name, prompts[name], image_file(ctx, image), fold(seeds[name], "text")) for name, image in images.items()]
    trial = rows_of(policy, ((request.prompt, request.image) for request in requests))
    load_adapter(policy, ctx, job.input("adapter"), trial, subject="stage1")

    def on_progress(texts: Texts) -> None:
        for name, refusal in texts.refused.items():
            skipped.add(name, refusal.code, refusal.reason)
        skipped.check()
        ctx.progress(len(texts.said) + len(texts.refused), len(requests), unit="images")

    ctx.phase("describing images")
    texts = write_texts(
        ctx,
        policy,
        requests,
        config.generation,
        max_batch_tokens=config.max_batch_tokens,
        journal="texts.jsonl",
        on_progress=on_progress,
    )
    descriptions: list[Description] = []
    for name, image in images.items():
        text = texts.said.get(name)
        if text == "":
            skipped.add(name, "EMPTY_TEXT", "the model returned an empty text for the image")
        elif text is not None:
            row = Description(name=name, image=image.ref, prompt=prompts[name], description=text, seed=seeds[name])
            descriptions.append(row)
    skipped.check()
    if images and not descriptions:
        raise StageError("DATA_INVALID", "not one image could be described", "instructions", "look at the skipped items")
    path = ctx.work / "descriptions.jsonl"
    write_rows(path, descriptions)
    ctx.publish_blob("descriptions", path, "application/jsonl", len(descriptions), metadata(policy, job))
