"""Measures a model folder and a run's datasets with the model's own processor and configuration; its weights are not loaded.

``python -m stic_trainer preflight`` reads the request as JSON from standard input and writes Lengths, or a failure, as JSON.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, TypeVar

from stic_trainer.config.job import Job, parse_job
from stic_trainer.data.images import ImageProblem
from stic_trainer.data.order import sample_without_replacement
from stic_trainer.data.records import BenchmarkItem, ImageItem, ImageRef, InstructionRow, read_chosen, to_json
from stic_trainer.data.seeds import item_seed
from stic_trainer.errors import StageError
from stic_trainer.method.infusion import infuse_turn
from stic_trainer.method.prompts import pick_plain, plan_pair
from stic_trainer.modeling.blocks import attends_by_blocks
from stic_trainer.modeling.chat import Chat, Message
from stic_trainer.modeling.loading import open_folder
from stic_trainer.modeling.vision import ImageEncoder
from stic_trainer.modeling.weight_files import read_headers
from stic_trainer.preflight.lengths import SAMPLE, ImageLengths, Lengths, ModelShape, QuestionLengths, RowLengths
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.store import Store
from stic_trainer.stages.instructions import to_messages

_T = TypeVar("_T")


def run_preflight(store: Path, source: IO[str], out: IO[str]) -> int:
    try:
        answer: dict[str, Any] = {"lengths": to_json(measure(parse_job(json.load(source)), Store(store)))}
    except StageError as error:
        answer = {"failure": {"code": error.code, "message": error.message, "subject": error.subject, "hint": error.hint}}
    out.write(json.dumps(answer) + "\n")
    return 0


def measure(job: Job, store: Store) -> Lengths:
    """StageError MODEL_INVALID or MODEL_UNSUPPORTED for the folder, DATA_INVALID for a manifest."""
    folder = resolve_model(job.recipe.model.path)
    ruler = _Ruler(folder)
    recipe, prompts, seed = job.recipe, job.recipe.prompts, job.recipe.seed
    num_images, images = _drawn(job, store, "images", ImageItem, recipe.prefer.max_images)
    num_rows, rows = _drawn(job, store, "instructions", InstructionRow, recipe.describe.max_rows)
    questions: list[BenchmarkItem] = []
    num_questions = 0
    for benchmark in job.inputs_of("benchmark"):
        choose = functools.partial(_sampled, seed, limit=recipe.evaluate.max_items)
        count, items = read_chosen(store.blob(benchmark.sha256), BenchmarkItem, choose, skip=1)
        num_questions += min(count, recipe.evaluate.max_items or count)
        questions += items

    def image_lengths(item: ImageItem) -> ImageLengths | None:
        count = ruler.image(item.ref)
        plan = plan_pair(
            item_seed(seed, "prefer", item.name),
            plain=prompts.plain,
            misleading=prompts.misleading,
            corrupted_probability=recipe.prefer.corrupted_probability,
            corruption_weights=[corruption.weight for corruption in recipe.prefer.corruptions],
        )
        texts = (prompts.step_by_step, plan.rejected_prompt, plan.prompt)
        chosen, rejected, stored = (ruler.prompt(text, with_image=True) for text in texts)
        if recipe.dpo.omit_image:
            stored = ruler.prompt(plan.prompt, with_image=False)
        return None if count is None else ImageLengths(image=count, chosen=chosen, rejected=rejected, stored=stored)

    def row_lengths(row: InstructionRow) -> RowLengths | None:
        turns = list(row.conversations)
        first = next((at for at, turn in enumerate(turns) if turn.sender == "human"), None)
        try:
            if row.image is not None and first is not None:
                turns[first] = type(turns[first])(
                    sender="human", value=infuse_turn(recipe.infuse.template, description="", turn=turns[first].value)
                )
            text, learned = ruler.conversation(to_messages(turns, with_image=row.image is not None))
        except ValueError:  # the import lets no such row through; the stage names it
            return None
        if row.image is None:
            return RowLengths(image=0, describe=0, text=text, learned=learned)
        count = ruler.image(row.image.ref)
        plain = pick_plain(item_seed(seed, "describe", row.name), prompts.plain)
        describe = ruler.prompt(plain, with_image=True)
        return None if count is None else RowLengths(image=count, describe=describe, text=text, learned=learned)

    def question_lengths(item: BenchmarkItem) -> QuestionLengths | None:
        count = ruler.image(item.image.ref) if item.image else 0
        return None if count is None else QuestionLengths(image=count, text=ruler.prompt(item.prompt, with_image=item.image is not None))

    sizes = {(item.width, item.height) for item in images} | {(row.image.width, row.image.height) for row in rows if row.image}
    return Lengths(
        model=ruler.shape(recipe.dpo.lora.target_modules, sizes),
        before_image=ruler.before_image,
        end=ruler.end,
        describe_and_respond=ruler.prompt(prompts.describe_and_respond, with_image=True),
        num_images=num_images,
        images=_known(map(image_lengths, images)),
        num_rows=num_rows,
        rows=_known(map(row_lengths, rows)),
        num_questions=num_questions,
        questions=_known(map(question_lengths, questions)),
    )


def _known(found: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(each for each in found if each is not None)


def _sampled(seed: int, count: int, limit: int) -> list[int]:
    """Indices of a sample of what a stage draws: a smaller draw is contained in a larger one."""
    return sample_without_replacement(seed, count, min(limit or count, SAMPLE))


def _drawn(job: Job, store: Store, role: str, kind: Any, limit: int) -> tuple[int, list[Any]]:
    """How many items of the role a run draws, and a sample of them."""
    source = job.optional_input(role)
    if source is None:
        return 0, []
    count, items = read_chosen(store.blob(source.sha256), kind, lambda n: _sampled(job.recipe.seed, n, limit))
    return min(count, limit or count), items


class _Ruler:
    """Counts tokens with a model's processor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        opened = open_folder(folder)
        self._family, self._processor, self._config = opened.family, opened.processor, opened.config
        self._chat = Chat(self._processor, folder)
        self._count = functools.cache(ImageEncoder(None, self._processor, self._family).num_tokens_of)
        self.prompt: Callable[..., int] = functools.cache(self._prompt)
        ids = self._chat.prompt([Message("user", "x", image=True)], self._shown)
        self.before_image = ids.index(self._chat.image_token_id)
        question = Message("user", "x")
        learned = self._chat.conversation([question, Message("assistant", "x")], 0).learned
        self.end = max(1, sum(learned) - 1)

    @property
    def _shown(self) -> int:
        """Image tokens to write in place of an image's own number: any number is right where it depends on the image."""
        return 1 if self._family.any_resolution else self._count(1, 1)

    def image(self, image: ImageRef) -> int | None:
        """Tokens of an image; None for one that the processor cannot take, which the stage leaves out."""
        try:
            return self._count(image.width, image.height) if self._family.any_resolution else self._count(1, 1)
        except ImageProblem:
            return None

    def _prompt(self, text: str, *, with_image: bool) -> int:
        """Tokens of a prompt without the image's."""
        try:
            shown = self._shown if with_image else 0
            return len(self._chat.prompt([Message("user", text, image=with_image)], shown)) - shown
        except ValueError:  # a text with an image placeholder: the stage names it
            return 0

    def conversation(self, messages: list[Message]) -> tuple[int, int]:
        """Tokens of a conversation without the image's, and how many of them are learned."""
        shown = self._shown if any(message.image for message in messages) else 0
        tokens = self._chat.conversation(messages, shown)
        return len(tokens.ids) - shown, sum(tokens.learned)

    def shape(self, targets: tuple[str, ...], sizes: set[tuple[int, int]]) -> ModelShape:
        text, tower = self._config.text_config, self._config.vision_config
        heads = text.num_attention_heads
        kv_heads = getattr(text, "num_key_value_heads", None) or heads
        head_size = getattr(text, "head_dim", None) or text.hidden_size // heads
        hidden, inner = text.hidden_size, text.intermediate_size
        linear = {
            "q_proj": hidden + heads * head_size,
            "k_proj": hidden + kv_heads * head_size,
            "v_proj": hidden + kv_heads * head_size,
            "o_proj": heads * head_size + hidden,
            "gate_proj": hidden + inner,
            "up_proj": hidden + inner,
            "down_proj": inner + hidden,
        }
        return ModelShape(
            parameters=sum(tensor.numbers for tensor in read_headers(self._folder).values()),
            layers=text.num_hidden_layers,
            hidden=hidden,
            inner=inner,
            heads=heads,
            kv_heads=kv_heads,
            head_size=head_size,
            vocabulary=text.vocab_size,
            max_positions=text.max_position_embeddings,
            lora_inputs_and_outputs=sum(linear.get(name, 0) for name in targets),
            tower_layers=getattr(tower, "num_hidden_layers", None) or tower.depth,
            tower_hidden=tower.hidden_size,
            tower_inner=tower.intermediate_size,
            patches=max((self._patches(width, height) for width, height in sizes), default=0),
            attends_by_blocks=attends_by_blocks(text.model_type),
            shares_prefix=self._family.shares_prefix,
            packs=self._family.packs,
            shares_image=self._family.shares_image,
        )

    def _patches(self, width: int, height: int) -> int:
        """Of an image in the vision tower."""
        tower, pinpoints = self._config.vision_config, getattr(self._config, "image_grid_pinpoints", None)
        side = getattr(tower, "image_size", None)
        if not isinstance(side, int):  # as many as the image's size gives, merged into its tokens
            merge = getattr(tower, "spatial_merge_size", 1)
            return (self.image(ImageRef(name="", sha256="", width=width, height=height)) or 0) * int(merge) ** 2
        tile = (side // int(tower.patch_size)) ** 2 + 1
        if not pinpoints:
            return tile
        from transformers.image_processing_utils import select_best_resolution

        high, wide = select_best_resolution((height, width), pinpoints)
        return tile + tile * math.ceil(int(high) / side) * math.ceil(int(wide) / side)
