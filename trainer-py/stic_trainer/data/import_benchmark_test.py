"""A benchmark folder: its header must be right, its items one by one."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stic_trainer.data.folder import ESCAPES
from stic_trainer.data.records import read_benchmark
from stic_trainer.data.testing import Imported, encoded, run_import
from stic_trainer.runtime.store import Store

HEADER = {"name": "mine", "scorer": "world-questions", "version": 3}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "benchmark"
    path.mkdir()
    (path / "a.png").write_bytes(encoded(Image.new("RGB", (8, 8)), "PNG"))
    (path / "benchmark.json").write_text(json.dumps(HEADER))
    return path


def item(name: object, **fields: Any) -> dict[str, Any]:
    return {"id": name, "image": "a.png", "prompt": "How many?", "answer": "2", "kind": "count", "truth": {"objects": [1]}} | fields


def load(folder: Path, store: Store, items: list[Any]) -> Imported:
    (folder / "items.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in items))
    return run_import("benchmark", folder, store)


def test_header_and_items_are_as_the_stages_read_them(folder: Path, store: Store) -> None:
    bare = {"id": 2, "prompt": "Say something."}
    imported = load(folder, store, [item("one"), bare])
    assert imported.result["benchmark"] == "mine"
    assert (imported.result["items"], imported.problems) == (2, {})
    header, (first, second) = read_benchmark(store.blob(imported.result["manifest_sha256"]))
    assert (header.benchmark, header.scorer, header.version) == ("mine", "world-questions", 3)
    assert (first.name, first.prompt, first.answer, first.kind, first.truth) == ("one", "How many?", "2", "count", {"objects": [1]})
    assert first.image is not None
    assert (second.name, second.answer, second.kind, second.truth, second.image) == ("2", None, "", {}, None)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (3, "it is not an object"),
        ({"prompt": "x"}, "field id is missing"),
        (item([]), "field id is [], not text or a whole number"),
        ({"id": "x"}, "field prompt is missing or empty"),
        (item("x", prompt="  "), "field prompt is missing or empty"),
        (item("x", image=5), "field image is not text"),
        (item("x", images=["a.png", "b.png"]), "field images names media that is not read; a row may have one image, in the field image"),
        (
            {"id": "x", "prompt": "?", "video": "a.mp4"},
            "field video names media that is not read; a row may have one image, in the field image",
        ),
        (item("x", prompt="<video>\nWhat?"), "field prompt holds <video>, a placeholder of media that is not read"),
        (item("x", answer=2), "field answer is not text"),
        (item("x", truth=[]), "field truth is not an object"),
        (item("x", truth={"score": float("nan")}), "it holds NaN, an infinity or half of a surrogate pair"),
        (item("x", answer="\ud800"), "it holds NaN, an infinity or half of a surrogate pair"),
        (item("x", answer="\x00"), "it holds a NUL character"),
    ],
)
def test_a_bad_item_is_named_and_the_others_stay(folder: Path, store: Store, bad: object, why: str) -> None:
    imported = load(folder, store, [item("before"), bad, item("after", answer="a \\u0000 in words")])
    assert [row["name"] for row in imported.rows[1:]] == ["before", "after"]
    assert imported.problems == {"row 2": ("ROW_INVALID", f"row 2: {why}")}


def test_an_id_means_one_item_and_an_image_must_be_there(folder: Path, store: Store) -> None:
    imported = load(folder, store, [item("a"), item("a", prompt="Other?"), item("b", image="b.png"), item("c", image="../a.png")])
    assert [row["name"] for row in imported.rows[1:]] == ["a"]
    assert imported.problems == {
        "a": ("DUPLICATE_NAME", "row 2: the id 'a' is already that of row 1"),
        "b.png": ("MISSING_IMAGE", "row 3 (b): the file does not exist"),
        "../a.png": ("PATH_ESCAPES", f"row 4 (c): {ESCAPES}"),
    }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "the benchmark folder has no benchmark.json"),
        ("{", "benchmark.json cannot be read"),
        ("[]", "benchmark.json lacks the field name"),
        ('{"name": "x"}', "benchmark.json lacks the field scorer"),
        ('{"name": "x", "scorer": "magic"}', "the scorer 'magic' is not known; known: world-"),
        ('{"name": "x", "scorer": "world-multi", "version": [1]}', "benchmark.json has version [1], not text or a whole number"),
    ],
)
def test_a_header_that_is_wrong_refuses_the_folder(folder: Path, store: Store, header: str | None, message: str) -> None:
    if header is None:
        (folder / "benchmark.json").unlink()
    else:
        (folder / "benchmark.json").write_text(header)
    failure = load(folder, store, [item("a")]).failure
    assert (failure["code"], failure["subject"]) == ("DATA_INVALID", str(folder / "benchmark.json"))
    assert message in failure["message"]


def test_a_folder_that_is_none_is_refused(folder: Path, store: Store) -> None:
    assert run_import("benchmark", folder, store).failure["message"] == "the benchmark folder has no items.jsonl"
    assert run_import("benchmark", folder / "none", store).failure["message"] == "no such folder"
    (folder / "items.jsonl").write_text("")
    assert run_import("benchmark", folder, store).failure["message"] == "items.jsonl is empty"
