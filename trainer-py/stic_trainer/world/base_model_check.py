"""Is this base model fit for the world? Measures it on held-out scenes and applies the counterfactual test.

The test: a question that comes with the TRUE description must be answered much better than the plain question. A model
that fails it does not read its descriptions, and neither describe-and-respond nor infused fine-tuning can help it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageEnhance
from transformers import AutoModelForImageTextToText, AutoProcessor

from stic_trainer.benchmarks import Item, find_benchmark
from stic_trainer.benchmarks.protocol import mean_scores
from stic_trainer.world import seeds
from stic_trainer.world.corrupt import blur
from stic_trainer.world.dataset import question_items, truth
from stic_trainer.world.language import describe
from stic_trainer.world.prompts import read_prompts
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS
from stic_trainer.world.rows import infused
from stic_trainer.world.scene import Scene, render, sample_scene

_BATCH = 64
_MAX_NEW_TOKENS = 80
_MIN_READING_GAIN = 15.0
_MAX_PLAIN_ACCURACY = 95.0
_MIN_ABOVE_MAJORITY = 5.0


@dataclass(frozen=True)
class _Set:
    scenes: list[Scene]
    pictures: list[Image.Image]


class Respondent:
    """Greedy answers of a model folder, in batches."""

    def __init__(self, folder: Path) -> None:
        # The library's loaders are not typed.
        load_processor: Any = AutoProcessor.from_pretrained
        load_model: Any = AutoModelForImageTextToText.from_pretrained
        self._processor: Any = load_processor(folder)
        self._model: Any = load_model(folder, dtype=torch.float32).eval()

    @torch.no_grad()
    def answers(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[str]:
        texts: list[str] = []
        for start in range(0, len(prompts), _BATCH):
            batch = prompts[start : start + _BATCH]
            chats = [[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}] for prompt in batch]
            filled = self._processor.apply_chat_template(chats, add_generation_prompt=True)
            inputs = self._processor(images=list(pictures[start : start + _BATCH]), text=filled, padding=True, return_tensors="pt")
            inputs.pop("token_type_ids", None)
            told = self._model.generate(**inputs, do_sample=False, max_new_tokens=_MAX_NEW_TOKENS)
            texts += self._processor.batch_decode(told[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        return texts


def check_base(folder: Path, seed: int, num_scenes: int, num_threads: int) -> bool:
    """Prints the measurements of the model ``folder``; True when it passes the gate."""
    seeds.require(seed, "tuning", "test")
    torch.set_num_threads(num_threads)
    respondent = Respondent(folder)
    plain = read_prompts().plain
    simple = _make(seed, "gate", num_scenes, min_objects=1)
    crowded = _make(seed, "gate-multi", num_scenes, min_objects=3)
    _check_descriptions(respondent, simple, plain)
    passed = True
    gains = []
    for name, kinds, held in (("world-questions", SIMPLE_KINDS, simple), ("world-multi", MULTI_KINDS, crowded)):
        items = [
            Item(id=str(row["id"]), prompt=str(row["prompt"]), answer=str(row["answer"]), kind=str(row["kind"]))
            for row in question_items(seed, f"gate-{name}", held.scenes, kinds)
        ]
        own = respondent.answers(held.pictures, [plain[4]] * len(items))
        true = [describe(scene.background, scene.things) for scene in held.scenes]
        asked = [item.prompt for item in items]
        texts = {
            "plain": respondent.answers(held.pictures, asked),
            "own description": respondent.answers(held.pictures, list(map(infused, own, asked))),
            "true description": respondent.answers(held.pictures, list(map(infused, true, asked))),
        }
        accuracy = _report_questions(name, items, texts)
        gains.append(accuracy["true description"] - accuracy["plain"])
        passed = _kinds_have_room(name, items, texts["plain"]) and passed
    for gain in gains:
        passed = passed and gain >= _MIN_READING_GAIN
    print(f"gain from reading the true description: {gains[0]:+.1f} and {gains[1]:+.1f}; gate {'passed' if passed else 'FAILED'}")
    return passed


def _make(seed: int, split: str, count: int, *, min_objects: int) -> _Set:
    scenes, pictures = [], []
    for index in range(count):
        rng = seeds.stream(seed, split, index)
        scenes.append(sample_scene(rng, min_objects=min_objects))
        pictures.append(render(scenes[-1], rng))
    return _Set(scenes, pictures)


def _jitter(picture: Image.Image) -> Image.Image:
    """The strongest jitter that the method draws: hue a quarter turn further, brightness 0.6."""
    hue, saturation, value = picture.convert("HSV").split()
    turned = Image.merge("HSV", (hue.point(lambda level: (level + 64) % 256), saturation, value)).convert("RGB")
    return ImageEnhance.Brightness(turned).enhance(0.6)


def _check_descriptions(respondent: Respondent, held: _Set, plain: Sequence[str]) -> None:
    prompts = read_prompts()
    benchmark = find_benchmark("world-descriptions")
    items = [Item(id=str(i), prompt="", truth=truth(scene)) for i, scene in enumerate(held.scenes)]
    count = len(items)
    cases = {
        "plain": (held.pictures, [plain[i % len(plain)] for i in range(count)]),
        "step by step": (held.pictures, [prompts.step_by_step] * count),
        "misleading": (held.pictures, [prompts.misleading[i % len(prompts.misleading)] for i in range(count)]),
        "low resolution": ([blur(p) for p in held.pictures], [plain[i % len(plain)] for i in range(count)]),
        "color jitter": ([_jitter(p) for p in held.pictures], [plain[i % len(plain)] for i in range(count)]),
    }
    print(f"{'descriptions':18}" + "".join(f"{metric.name:>8}" for metric in benchmark.metrics))
    for name, (pictures, asked) in cases.items():
        texts = respondent.answers(pictures, asked)
        values = mean_scores(benchmark, items, texts)
        print(f"{name:18}" + "".join(f"{value:8.1f}" for value in values.values()) + f"   {texts[0]}", flush=True)
    baseline = benchmark.baseline(items)
    print(f"{'always majority':18}" + "".join(f"{value:8.1f}" for value in baseline.values()))


def _report_questions(name: str, items: list[Item], texts: dict[str, list[str]]) -> dict[str, float]:
    benchmark = find_benchmark(name)
    kinds = sorted({item.kind for item in items})
    print(f"{name:18}{'all':>8}" + "".join(f"{kind:>13}" for kind in kinds))
    accuracy: dict[str, float] = {}
    for mode, told in texts.items():
        accuracy[mode] = mean_scores(benchmark, items, told)["accuracy"]
        parts = [_of_kind(items, told, kind) for kind in kinds]
        row = [mean_scores(benchmark, *part)["accuracy"] for part in parts]
        print(f"{mode:18}{accuracy[mode]:8.1f}" + "".join(f"{value:13.1f}" for value in row), flush=True)
    row = [benchmark.baseline([item for item in items if item.kind == kind])["accuracy"] for kind in kinds]
    print(f"{'always majority':18}{benchmark.baseline(items)['accuracy']:8.1f}" + "".join(f"{v:13.1f}" for v in row))
    return accuracy


def _of_kind(items: list[Item], texts: list[str], kind: str) -> tuple[list[Item], list[str]]:
    kept = [(item, text) for item, text in zip(items, texts, strict=True) if item.kind == kind]
    return [item for item, _ in kept], [text for _, text in kept]


def _kinds_have_room(name: str, items: list[Item], texts: list[str]) -> bool:
    """Every kind of plain question is clearly above its majority answer and below saturation."""
    benchmark = find_benchmark(name)
    fine = True
    for kind in sorted({item.kind for item in items}):
        part, told = _of_kind(items, texts, kind)
        accuracy, majority = mean_scores(benchmark, part, told)["accuracy"], benchmark.baseline(part)["accuracy"]
        if not majority + _MIN_ABOVE_MAJORITY <= accuracy <= _MAX_PLAIN_ACCURACY:
            print(f"no room in {name}/{kind}: {accuracy:.1f} against a majority answer of {majority:.1f}")
            fine = False
    return fine
