"""Preference pairs from unlabeled images: the model's good description against its own bad one (Algorithm 1, data).

The preferred text answers the step-by-step prompt on the clean image. The dispreferred one answers a misleading prompt, or the
plain prompt on a corrupted image. Stored as the question of both is the plain prompt. Needs no label and no other model.

A run that starts from an earlier adapter lets that one write, not the base model: the pairs are its own words.

Reads images and, where the run starts from an adapter, start. Writes pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

from stic_trainer.config.job import Job
from stic_trainer.data.images import ImageProblem, open_rgb
from stic_trainer.data.order import order, sample_without_replacement
from stic_trainer.data.records import ImageItem, Pair, read_rows, write_rows
from stic_trainer.data.seeds import item_seed
from stic_trainer.errors import StageError
from stic_trainer.method.corruption import corrupt, corruption_digest
from stic_trainer.method.prompts import PairPlan, plan_pair
from stic_trainer.method.sampling import fold
from stic_trainer.modeling.canary import rows_of
from stic_trainer.modeling.generation import Request
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.vision import ImageFile
from stic_trainer.runtime.context import StageContext
from stic_trainer.stages.images import image_file, png_bytes
from stic_trainer.stages.skipped import Skipped
from stic_trainer.stages.stage_setup import load_start_adapter, metadata, open_policy
from stic_trainer.stages.texts import Texts, write_texts


@dataclass(frozen=True)
class _Draft:
    """A pair that waits for its two texts."""

    image: ImageItem
    seed: int
    plan: PairPlan
    file: ImageFile
    corrupted: ImageFile | None
    """What the model sees for the dispreferred side, where that is not the clean image."""
    drawn: dict[str, float]


def run(job: Job, ctx: StageContext) -> None:
    source, config = job.input("images"), job.recipe.prefer
    images = list(read_rows(ctx.store.blob(source.sha256), ImageItem))
    drawn = sample_without_replacement(job.recipe.seed, len(images), config.max_images)
    images = [images[drawn[index]] for index in order(job.recipe.seed, 0, len(drawn))]
    skipped = Skipped(ctx, total=len(images), source=source, stage="prefer", max_fraction=config.max_skipped_fraction)
    policy = open_policy(job, ctx)
    load_start_adapter(policy, job, ctx, rows_of(policy, ((job.recipe.prompts.step_by_step, image_file(ctx, image)) for image in images)))
    made_with = _made_with(job)
    ctx.facts(**made_with)

    drafts = _draft(job, ctx, images, skipped)
    texts = _generate(job, ctx, policy, drafts, skipped)
    pairs = _pair_up(job, drafts, texts, skipped)
    skipped.check()
    if not pairs:
        raise StageError("DATA_INVALID", "not one pair could be made", "images", "look at the skipped items for the reasons")
    path = ctx.work / "pairs.jsonl"
    write_rows(path, pairs)
    ctx.publish_blob("pairs", path, "application/jsonl", len(pairs), metadata(policy, job) | made_with)


def _made_with(job: Job) -> dict[str, str]:
    """Prompt set and corruptions by name and hash, for the run's record and the pairs' own."""
    prompts = job.recipe.prompts
    named = [f"{each.name} {corruption_digest(each.name, each.parameters)}" for each in job.recipe.prefer.corruptions]
    return {"prompt_set": f"{prompts.name} v{prompts.version} {prompts.digest}".rstrip(), "corruptions": ", ".join(named) or "none"}


def _draft(job: Job, ctx: StageContext, images: list[ImageItem], skipped: Skipped) -> list[_Draft]:
    """All choices, from each item's own seed, and the corrupted images."""
    ctx.phase("corrupting images")
    config, prompts = job.recipe.prefer, job.recipe.prompts
    drafts: list[_Draft] = []
    for done, image in enumerate(images, start=1):
        seed = item_seed(job.recipe.seed, "prefer", image.name)
        plan = plan_pair(
            seed,
            plain=prompts.plain,
            misleading=prompts.misleading,
            corrupted_probability=config.corrupted_probability,
            corruption_weights=[corruption.weight for corruption in config.corruptions],
        )
        file = image_file(ctx, image)
        corrupted, drawn = None, dict[str, float]()
        if plan.corruption is not None and not config.show_clean_image:
            corruption = config.corruptions[plan.corruption]
            try:
                clean = open_rgb(file.path)
            except ImageProblem as problem:
                skipped.add(image.name, problem.code, problem.reason)
                continue
            bad, drawn = corrupt(corruption.name, clean, corruption.parameters, fold(seed, "corruption"))
            sha256 = ctx.store.put_blob_bytes(png_bytes(bad))
            corrupted = ImageFile(sha256, ctx.store.blob(sha256), bad.size)
        drafts.append(_Draft(image, seed, plan, file, corrupted, drawn))
        ctx.progress(done, len(images), unit="images")
        if done % 100 == 0:
            ctx.check_stop()
    return drafts


def _generate(job: Job, ctx: StageContext, policy: Policy, drafts: list[_Draft], skipped: Skipped) -> Texts:
    config = job.recipe.prefer
    requests: list[Request] = []
    names: dict[str, str] = {}
    for draft in drafts:
        chosen, rejected = f"{draft.image.name}#chosen", f"{draft.image.name}#rejected"
        names |= {chosen: draft.image.name, rejected: draft.image.name}
        requests.append(Request(chosen, job.recipe.prompts.step_by_step, draft.file, fold(draft.seed, "chosen")))
        requests.append(Request(rejected, draft.plan.rejected_prompt, draft.corrupted or draft.file, fold(draft.seed, "rejected")))

    def on_progress(texts: Texts) -> None:
        for key, refusal in texts.refused.items():
            skipped.add(names[key], refusal.code, refusal.reason)
        skipped.check()
        ctx.progress((len(texts.said) + len(texts.refused)) // 2, len(drafts), unit="pairs")

    ctx.phase("generating both sides")
    texts = write_texts(
        ctx,
        policy,
        requests,
        config.generation,
        max_batch_tokens=config.max_batch_tokens,
        journal="texts.jsonl",
        on_progress=on_progress,
    )
    if texts.cut_off:
        ctx.log(f"{texts.cut_off} of {len(requests)} texts were cut off at {config.generation.max_new_tokens} tokens", "warning")
    return texts


def _pair_up(job: Job, drafts: list[_Draft], texts: Texts, skipped: Skipped) -> list[Pair]:
    names = [corruption.name for corruption in job.recipe.prefer.corruptions]
    pairs: list[Pair] = []
    for draft in drafts:
        name, plan = draft.image.name, draft.plan
        chosen, rejected = texts.said.get(f"{name}#chosen"), texts.said.get(f"{name}#rejected")
        if chosen is None or rejected is None:
            continue
        if not chosen or not rejected:
            skipped.add(
                name, "EMPTY_TEXT", f"the model returned an empty text for the {'preferred' if not chosen else 'dispreferred'} side"
            )
        elif chosen == rejected:
            skipped.add(name, "EQUAL_SIDES", "both sides have the same text, so there is nothing to prefer")
        else:
            pairs.append(
                Pair(
                    id=name,
                    index=len(pairs),
                    image=draft.image.ref,
                    prompt=plan.prompt,
                    chosen=chosen,
                    rejected=rejected,
                    made_by=plan.made_by(names),
                    rejected_prompt=plan.rejected_prompt,
                    corrupted_image=draft.corrupted.sha256 if draft.corrupted else None,
                    corruption_parameters=draft.drawn,
                    seed=draft.seed,
                )
            )
    return pairs
