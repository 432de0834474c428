"""The rendered demo data: reproducible, well formed, and never of the base's seeds."""

import hashlib
import json
from pathlib import Path

import pytest

from stic_trainer.benchmarks import find_benchmark, read_items
from stic_trainer.benchmarks.protocol import mean_scores
from stic_trainer.world.dataset import render_demo
from stic_trainer.world.language import describe
from stic_trainer.world.scene import CELLS, Thing


def _render(folder: Path, seed: int) -> dict[str, str]:
    render_demo(folder, seed=seed, num_images=6, num_instructions=40, num_test_scenes=24)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_seed_names_every_byte(tmp_path: Path) -> None:
    first = _render(tmp_path / "a", 2005)
    assert first == _render(tmp_path / "b", 2005)
    other = _render(tmp_path / "c", 2006)
    pictures = {digest for name, digest in first.items() if name.endswith(".png")}
    assert len(pictures) > 6 + 24 + 24
    assert not pictures & set(other.values())


def test_more_items_do_not_change_the_earlier_ones(tmp_path: Path) -> None:
    small = _render(tmp_path / "small", 2005)
    render_demo(tmp_path / "large", seed=2005, num_images=9, num_instructions=0, num_test_scenes=1)
    for name in ("images/00000.png", "images/00005.png"):
        assert hashlib.sha256((tmp_path / "large" / name).read_bytes()).hexdigest() == small[name]


def test_instructions_have_the_llava_form(tmp_path: Path) -> None:
    render_demo(tmp_path, seed=2005, num_images=0, num_instructions=80, num_test_scenes=1)
    rows = json.loads((tmp_path / "instructions" / "instructions.json").read_text())
    assert len({row["id"] for row in rows}) == 80
    assert any("image" not in row for row in rows)
    assert any(len(row["conversations"]) > 2 for row in rows)
    for row in rows:
        speakers = [turn["from"] for turn in row["conversations"]]
        assert speakers == ["human", "gpt"] * (len(speakers) // 2)
        placeholders = [turn["value"].count("<image>") for turn in row["conversations"]]
        assert placeholders == ([1] if "image" in row else [0]) + [0] * (len(speakers) - 1)
        if "image" in row:
            assert row["conversations"][0]["value"].startswith("<image>\n")
            assert (tmp_path / "instructions" / row["image"]).is_file()


def test_the_true_description_and_the_stored_answers_score_full_marks(tmp_path: Path) -> None:
    _render(tmp_path, 2005)
    for name in ("world-descriptions", "world-questions", "world-multi"):
        folder = tmp_path / "benchmarks" / name
        about = json.loads((folder / "benchmark.json").read_text())
        assert about == {"name": name, "scorer": name, "version": 1}
        items = read_items(folder)
        assert len(items) == 24
        assert all((folder / str(item.image)).is_file() for item in items)
        texts = []
        for item in items:
            things = [Thing(CELLS.index(t["cell"]), t["size"], t["color"], t["shape"]) for t in item.truth["things"]]
            texts.append(item.answer or describe(item.truth["background"], things))
        values = mean_scores(find_benchmark(name), items, texts)
        assert values.pop("chair", 0.0) == 0.0
        assert set(values.values()) == {100.0}


def test_questions_about_several_objects_come_with_several_objects(tmp_path: Path) -> None:
    _render(tmp_path, 2005)
    assert all(len(item.truth["things"]) >= 3 for item in read_items(tmp_path / "benchmarks" / "world-multi"))


def test_the_seeds_of_the_base_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="belongs to 'base'"):
        render_demo(tmp_path, seed=7, num_images=1, num_instructions=1, num_test_scenes=1)
    assert not list(tmp_path.iterdir())
