"""The whole recipe at demo size: our six stages beside the same stages written plainly."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import torch

from stic_bench import data, ours
from stic_bench.bench import Bench
from stic_bench.plain import Plain
from stic_bench.result import Result
from stic_trainer.config.job import Recipe, StageKind
from stic_trainer.data.order import sample_without_replacement
from stic_trainer.data.records import BenchmarkItem, ImageItem, InstructionRow, Pair, Turn, read_rows, to_json, write_rows
from stic_trainer.method.infusion import infuse, infuse_turn
from stic_trainer.method.prompts import pick_plain
from stic_trainer.runtime.store import Store
from stic_trainer.stages.instructions import to_messages
from stic_trainer.stages.plan import Plan
from stic_trainer.world.dataset import question_items
from stic_trainer.world.model import MODEL_FOLDER
from stic_trainer.world.questions import SIMPLE_KINDS
from stic_trainer.world.scene import render, sample_scene
from stic_trainer.world.seeds import stream


def measure(bench: Bench) -> list[Result]:
    sizes = (8, 6, 8) if bench.quick else (400, 300, 500)
    world = _World(bench, *sizes)
    settings = ours.recipe("tiny", MODEL_FOLDER, {"dpo": {"lora": {"dropout": 0}}} | ours.levers())
    result = Result(
        name=f"whole recipe, {sizes[0]} images, {sizes[1]} rows, {sizes[2]} test items, base and two stages, plain and DaR",
        yardstick="the same stages written plainly",
        unit="s",
        wanted="4x",
        agreement="every stage's own row and test",
    )
    for _ in range(bench.pairs):
        start = time.perf_counter()
        pairs = _ours(bench, world, settings)
        between = time.perf_counter()
        _plainly(bench.store, world, settings, pairs)
        result.ours.append(between - start)
        result.theirs.append(time.perf_counter() - between)
    return [result]


class _World:
    """Images, instruction rows and a benchmark of the embedded world, as manifests in the store."""

    def __init__(self, bench: Bench, num_images: int, num_rows: int, num_items: int) -> None:
        store, folder = bench.store, bench.folder / "world"
        self.images = data.scenes(store, folder, num_images, seed=1600)
        images = data.scenes(store, folder, num_rows, seed=1601)
        self.rows = [_row(index, image) for index, image in enumerate(images)]
        self.items = _items(store, folder, num_items)
        folder.mkdir(exist_ok=True)
        self.image_manifest = _manifest(store, folder / "images.jsonl", self.images)
        self.row_manifest = _manifest(store, folder / "rows.jsonl", self.rows)
        self.benchmark = _benchmark(store, folder / "benchmark.jsonl", self.items)


def _row(index: int, image: ImageItem) -> InstructionRow:
    scene = sample_scene(stream(1601, "bench", index))
    item = question_items(1601, "bench-rows", [scene], SIMPLE_KINDS)[0]
    turns = (Turn(sender="human", value=f"<image>\n{item['prompt']}"), Turn(sender="gpt", value=str(item["answer"])))
    return InstructionRow(name=str(index), conversations=turns, image=image)


def _items(store: Store, folder: Path, count: int) -> list[BenchmarkItem]:
    scenes = []
    images = []
    for index in range(count):
        rng = stream(1602, "bench", index)
        scene = sample_scene(rng)
        path = folder / f"test-{index}.png"
        image = render(scene, rng)
        image.save(path)
        sha256, size = store.put_blob_file(path)
        scenes.append(scene)
        images.append(
            ImageItem(
                name=path.name,
                sha256=sha256,
                bytes=size,
                width=image.width,
                height=image.height,
                format="PNG",
                mode="RGB",
                thumbnail=sha256,
            )
        )
    asked = question_items(1602, "bench-items", scenes, SIMPLE_KINDS)
    return [
        BenchmarkItem(
            name=str(item["id"]),
            prompt=str(item["prompt"]),
            answer=str(item["answer"]),
            kind=str(item["kind"]),
            truth=dict(item["truth"]),  # type: ignore[call-overload]
            image=image,
        )
        for item, image in zip(asked, images, strict=True)
    ]


def _manifest(store: Store, path: Path, rows: list[ImageItem] | list[InstructionRow]) -> str:
    write_rows(path, rows)
    return store.put_blob_file(path)[0]


def _benchmark(store: Store, path: Path, items: list[BenchmarkItem]) -> str:
    import json

    head = {"benchmark": "world-questions", "scorer": "world-questions", "version": 1}
    path.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in [head, *map(to_json, items)]), "utf-8")
    return store.put_blob_file(path)[0]


def _ours(bench: Bench, world: _World, settings: Recipe) -> list[Pair]:
    """All six stages; the pairs, for the yardstick's training."""
    store, threads = bench.store, bench.threads

    def stage(kind: StageKind, inputs: dict[str, str] | list[tuple[str, str, str]]) -> dict[str, str]:
        return ours.run(kind, settings, inputs, store=store, work=bench.fresh(f"recipe-{kind}"), threads=threads).artifacts

    pairs = stage(StageKind.PREFER, {"images": world.image_manifest})["pairs"]
    stage1 = stage(StageKind.DPO, {"pairs": pairs})["adapter"]
    told = stage(StageKind.DESCRIBE, {"instructions": world.row_manifest, "adapter": stage1})["descriptions"]
    infused = stage(StageKind.INFUSE, {"instructions": world.row_manifest, "descriptions": told})["infused"]
    stage2 = stage(StageKind.SFT, {"infused": infused, "adapter": stage1})["adapter"]
    benchmark = ("benchmark", "world-questions", world.benchmark)
    stage(StageKind.EVALUATE, [benchmark, ("images", "", world.image_manifest), ("stage1", "", stage1), ("stage2", "", stage2)])
    return list(read_rows(store.blob(pairs), Pair))


def _plainly(store: Store, world: _World, settings: Recipe, made: list[Pair]) -> None:
    """The same work item by item. Scoring the texts is left out: it is arithmetic."""
    torch.manual_seed(settings.seed)
    plain = Plain(MODEL_FOLDER)
    prompts, write = settings.prompts, settings.prefer.generation
    for pair in made:
        clean = store.blob(pair.image.sha256)
        plain.answer(prompts.step_by_step, clean, write)
        plain.answer(pair.rejected_prompt, store.blob(pair.corrupted_image) if pair.corrupted_image else clean, write)
    _examine(store, world, settings, plain)

    plain.add_adapter(settings.dpo.lora)
    triples = [(pair.prompt, pair.chosen, pair.rejected, store.blob(pair.image.sha256)) for pair in made]
    dpo = settings.dpo
    plain.dpo(triples, Plan(len(triples), settings.seed, dpo.optimizer), beta=dpo.beta, chosen_weight=dpo.chosen_weight)
    _examine(store, world, settings, plain)

    rows: list[tuple[list[tuple[str, str]], Path | None]] = []
    for row in world.rows:
        assert row.image is not None
        image = store.blob(row.image.sha256)
        told = plain.answer(prompts.plain[0], image, settings.describe.generation)
        first, *rest = row.conversations
        turns = [dataclasses.replace(first, value=infuse_turn(settings.infuse.template, description=told, turn=first.value)), *rest]
        rows.append(([(message.role, message.text) for message in to_messages(turns, with_image=True)], image))
    plain.sft(rows, Plan(len(rows), settings.seed, settings.sft.optimizer))
    _examine(store, world, settings, plain)


def _examine(store: Store, world: _World, settings: Recipe, plain: Plain) -> None:
    """Sample descriptions, plain answers, and describe-and-respond, of whatever the model is by now."""
    config = settings.evaluate
    for index in sample_without_replacement(settings.seed, len(world.images), config.sample_images):
        image = world.images[index]
        plain.answer(pick_plain(index, settings.prompts.plain), store.blob(image.sha256), config.describe_generation)
    for item in world.items:
        assert item.image is not None
        image_path = store.blob(item.image.sha256)
        plain.answer(item.prompt, image_path, config.answer_generation)
        told = plain.answer(settings.prompts.describe_and_respond, image_path, config.describe_generation)
        question = infuse(settings.infuse.template, description=told, question=item.prompt)
        plain.answer(question, image_path, config.answer_generation)
