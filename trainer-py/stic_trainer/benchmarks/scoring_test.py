"""Every scorer against answers worked out by hand."""

import json
from pathlib import Path

import pytest

from stic_trainer.benchmarks import Item, benchmark_names, find_benchmark, read_items
from stic_trainer.benchmarks.protocol import mean_scores

SCENE = {
    "background": "night",
    "things": [
        {"cell": "top-left", "size": "large", "color": "red", "shape": "kite"},
        {"cell": "center", "size": "small", "color": "blue", "shape": "ball"},
    ],
}


def _scene_item(item_id: str = "1") -> Item:
    return Item(id=item_id, prompt="Describe the picture.", truth=SCENE)


@pytest.mark.parametrize(
    ("text", "f1", "recall", "chair"),
    [
        ("A night scene, top-left a large red kite, center a small blue ball.", 1.0, 1.0, 0.0),
        ("A night scene, top-left a large red kite.", 2 / 3, 0.5, 0.0),
        # One of three told is right, and a star is nowhere: F1 = 2 * 1 / (3 + 2).
        ("A night scene, top-left a large red kite, center a large blue ball, right a small pink star.", 0.4, 0.5, 1.0),
        # The ball is elsewhere: wrong, but its shape is in the scene, so nothing is hallucinated.
        ("A night scene, right a small blue ball.", 0.0, 0.0, 0.0),
        # A repeated object is right once: 2 * 1 / (2 + 2).
        ("top-left a large red kite, top-left a large red kite", 0.5, 0.5, 0.0),
        ("", 0.0, 0.0, 0.0),
        ("I see <unk> and nothing else", 0.0, 0.0, 0.0),
    ],
)
def test_descriptions(text: str, f1: float, recall: float, chair: float) -> None:
    score = find_benchmark("world-descriptions").score(_scene_item(), text)
    assert score == pytest.approx({"f1": f1, "recall": recall, "chair": chair})


def test_a_description_item_without_a_scene_graph_is_an_error() -> None:
    benchmark = find_benchmark("world-descriptions")
    with pytest.raises(ValueError, match="item 7"):
        benchmark.score(Item(id="7", prompt="", truth={}), "text")
    with pytest.raises(ValueError, match="no objects"):
        benchmark.score(Item(id="8", prompt="", truth={"things": []}), "text")


@pytest.mark.parametrize(
    ("answer", "text", "accuracy"),
    [
        ("red kite", "A red kite.", 1.0),
        ("red kite", "top-left a large red kite", 1.0),
        ("red kite", "red", 0.0),
        ("red kite", "a red kite and a ball", 0.0),
        ("top-left", "Top-left", 1.0),
        ("top-left", "left", 0.0),
        ("red", "the kite is red", 1.0),
        ("red", "the kite is colored", 0.0),
        ("yes", "a kite is missing, so no", 0.0),
        ("two", "", 0.0),
    ],
)
def test_questions(answer: str, text: str, accuracy: float) -> None:
    item = Item(id="1", prompt="", answer=answer)
    assert find_benchmark("world-questions").score(item, text) == {"accuracy": accuracy}


@pytest.mark.parametrize(
    ("answer", "text", "accuracy"),
    [
        ("no", "red and blue, so no", 1.0),
        ("yes", "red and blue, so no", 0.0),
        ("two", "Two.", 1.0),
        ("yes", "yes and no, so no", 0.0),
        ("no", "", 0.0),
    ],
)
def test_questions_about_several_objects(answer: str, text: str, accuracy: float) -> None:
    item = Item(id="1", prompt="", answer=answer)
    assert find_benchmark("world-multi").score(item, text) == {"accuracy": accuracy}


def test_a_question_without_an_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="item 3"):
        find_benchmark("world-questions").score(Item(id="3", prompt="?"), "yes")


def test_the_majority_baseline_is_counted_within_each_kind() -> None:
    answers = [("exists", "yes"), ("exists", "yes"), ("exists", "no"), ("count", "two"), ("count", "three")]
    items = [Item(id=str(i), prompt="", kind=kind, answer=answer) for i, (kind, answer) in enumerate(answers)]
    assert find_benchmark("world-questions").baseline(items) == {"accuracy": 100 * (2 + 1) / 5}


def test_the_description_baseline_tells_the_most_frequent_object() -> None:
    red_kite = {"things": [SCENE["things"][0]]}
    items = [_scene_item("1"), Item(id="2", prompt="", truth=red_kite)]
    # The red kite is told twice: F1 2/3 and 1, recall 1/2 and 1.
    values = find_benchmark("world-descriptions").baseline(items)
    assert values == pytest.approx({"f1": 100 * (2 / 3 + 1) / 2, "recall": 75.0, "chair": 0.0})


def test_every_benchmark_has_one_primary_metric_and_scores_all_it_names() -> None:
    assert benchmark_names() == ["world-descriptions", "world-multi", "world-questions"]
    for name in benchmark_names():
        benchmark = find_benchmark(name)
        assert [metric.primary for metric in benchmark.metrics].count(True) == 1
        item = Item(id="1", prompt="", answer="yes", truth=SCENE)
        assert set(benchmark.score(item, "yes")) == {metric.name for metric in benchmark.metrics}
        assert set(mean_scores(benchmark, [item], ["yes"])) == {metric.name for metric in benchmark.metrics}


def test_an_unknown_benchmark_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="world-multi"):
        find_benchmark("chartqa")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["{"], "items.jsonl:1: not JSON"),
        (['{"id": 1}'], "'id' and 'prompt'"),
        (['{"id": 1, "prompt": "?", "truth": []}', '{"id": 1, "prompt": "?"}'], ":2: the id '1' appears twice"),
        (['{"id": 1, "prompt": "?", "answer": 3}'], "must be text"),
        (['{"id": 1, "prompt": "?", "truth": "x"}'], "'truth' must be an object"),
        ([""], "no items"),
    ],
)
def test_a_bad_items_file_is_named_with_line_and_reason(tmp_path: Path, lines: list[str], reason: str) -> None:
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=reason):
        read_items(tmp_path)


def test_items_are_read(tmp_path: Path) -> None:
    row = {"id": 5, "image": "images/a.png", "prompt": "Where?", "answer": "left", "kind": "place", "truth": SCENE}
    (tmp_path / "items.jsonl").write_text(json.dumps(row) + "\n\n")
    assert read_items(tmp_path) == [Item(id="5", image="images/a.png", prompt="Where?", answer="left", kind="place", truth=SCENE)]
