"""The demo's data: unlabeled pictures, LLaVA-format instructions and three benchmarks, all from one seed."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from stic_trainer.world import seeds
from stic_trainer.world.language import describe
from stic_trainer.world.prompts import DEFAULT_PROMPTS, read_prompts
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS, Question, answer, ask, ask_any, result
from stic_trainer.world.scene import CELLS, Scene, render, sample_scene

_TURNS = ((1, 2, 3), (5, 3, 2))
"""Question turns of an instruction row and their weights."""
_WITHOUT_IMAGE = 0.1


def render_demo(
    folder: Path,
    *,
    seed: int,
    num_images: int = 400,
    num_instructions: int = 300,
    num_test_scenes: int = 500,
    prompts: Path = DEFAULT_PROMPTS,
) -> None:
    """Writes ``images/``, ``instructions/`` and ``benchmarks/<name>/`` into ``folder``. Seeds of the base's range are refused."""
    seeds.require(seed, "tuning", "test")
    _write_pictures(folder / "images", seed, "images", num_images)
    _write_instructions(folder / "instructions", seed, num_instructions)
    benchmarks = folder / "benchmarks"
    pictures = benchmarks / "world-descriptions" / "images"
    scenes = _write_pictures(pictures, seed, "test", num_test_scenes)
    plain = read_prompts(prompts).plain
    _write_benchmark(benchmarks, "world-descriptions", [_description_item(i, s, plain) for i, s in enumerate(scenes)])
    _link_pictures(pictures, benchmarks / "world-questions" / "images")
    _write_benchmark(benchmarks, "world-questions", question_items(seed, "world-questions", scenes, SIMPLE_KINDS))
    crowded = _write_pictures(benchmarks / "world-multi" / "images", seed, "test-multi", num_test_scenes, min_objects=3)
    _write_benchmark(benchmarks, "world-multi", question_items(seed, "world-multi", crowded, MULTI_KINDS))


def truth(scene: Scene) -> dict[str, object]:
    """The scene graph as plain data."""
    things = [{"cell": CELLS[t.cell], "size": t.size, "color": t.color, "shape": t.shape} for t in scene.things]
    return {"background": scene.background, "things": things}


def _picture(seed: int, split: str, index: int, path: Path, *, min_objects: int = 1) -> Scene:
    rng = seeds.stream(seed, split, index)
    scene = sample_scene(rng, min_objects=min_objects)
    path.parent.mkdir(parents=True, exist_ok=True)
    render(scene, rng).save(path)
    return scene


def _write_pictures(folder: Path, seed: int, split: str, count: int, *, min_objects: int = 1) -> list[Scene]:
    return [_picture(seed, split, index, folder / f"{index:05d}.png", min_objects=min_objects) for index in range(count)]


def _link_pictures(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for picture in sorted(source.iterdir()):
        link = target / picture.name
        if link.exists():
            link.unlink()
        try:
            os.link(picture, link)
        except OSError:
            link.write_bytes(picture.read_bytes())


def _write_instructions(folder: Path, seed: int, count: int) -> None:
    rows = []
    for index in range(count):
        rng = seeds.stream(seed, "instructions-text", index)
        if rng.random() < _WITHOUT_IMAGE:
            rows.append(_row_without_image(index, rng))
            continue
        name = f"images/{index:05d}.png"
        scene = _picture(seed, "instructions", index, folder / name)
        rows.append(_row_with_image(index, name, scene, rng))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "instructions.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _row_with_image(index: int, image: str, scene: Scene, rng: random.Random) -> dict[str, object]:
    questions: list[Question] = []
    for _ in range(rng.choices(*_TURNS)[0]):
        question = ask_any((*SIMPLE_KINDS, *MULTI_KINDS), scene, rng)
        if question not in questions:
            questions.append(question)
    turns = []
    for turn, question in enumerate(questions):
        turns.append({"from": "human", "value": ("<image>\n" if turn == 0 else "") + question.text})
        turns.append({"from": "gpt", "value": answer(question, scene.things)})
    return {"id": f"world-{index:05d}", "image": image, "conversations": turns}


def _row_without_image(index: int, rng: random.Random) -> dict[str, object]:
    scene = sample_scene(rng)
    question = ask_any(SIMPLE_KINDS, scene, rng)
    turns = [
        {"from": "human", "value": f"{describe(scene.background, scene.things)}\n\n{question.text}"},
        {"from": "gpt", "value": answer(question, scene.things)},
    ]
    return {"id": f"world-{index:05d}", "conversations": turns}


def _description_item(index: int, scene: Scene, plain: tuple[str, ...]) -> dict[str, object]:
    return {
        "id": f"{index:05d}",
        "image": f"images/{index:05d}.png",
        "prompt": plain[index % len(plain)],
        "kind": "description",
        "truth": truth(scene),
    }


def question_items(seed: int, name: str, scenes: list[Scene], kinds: tuple[str, ...]) -> list[dict[str, object]]:
    """One question per scene; the kinds take turns, and a scene that does not allow its kind gets another one."""
    items: list[dict[str, object]] = []
    for index, scene in enumerate(scenes):
        rng = seeds.stream(seed, name, index)
        question = ask(kinds[index % len(kinds)], scene, rng) or ask_any(kinds, scene, rng)
        items.append(
            {
                "id": f"{index:05d}",
                "image": f"images/{index:05d}.png",
                "prompt": question.text,
                "answer": result(question, answer(question, scene.things)),
                "kind": question.kind,
                "truth": truth(scene),
            }
        )
    return items


def _write_benchmark(benchmarks: Path, name: str, items: list[dict[str, object]]) -> None:
    target = benchmarks / name
    target.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(item) + "\n" for item in items]
    (target / "items.jsonl").write_text("".join(lines), "utf-8")
    about = {"name": name, "scorer": name, "version": 1}
    (target / "benchmark.json").write_text(json.dumps(about) + "\n", "utf-8")
