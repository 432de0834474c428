"""LLaVA-format files as people have them: rows are kept in order, and a row that cannot be used says why."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stic_trainer.data.testing import Imported, encoded, run_import
from stic_trainer.runtime.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    (path / "coco").mkdir(parents=True)
    for name, colour in (("coco/red.png", "red"), ("coco/blau ü.png", "blue")):
        (path / name).write_bytes(encoded(Image.new("RGB", (8, 8), colour), "PNG"))
    return path


def turns(*texts: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[index % 2], "value": text} for index, text in enumerate(texts)]


def row(name: object, image: object = None, conversations: object = None) -> dict[str, Any]:
    fields = {"id": name, "conversations": turns("What is it?", "A colour.") if conversations is None else conversations}
    return fields if image is None else {**fields, "image": image}


def load(folder: Path, store: Store, rows: object, image_root: Path | None = None) -> Imported:
    path = folder / "rows.json"
    path.write_text(json.dumps(rows), "utf-8")
    return run_import("instructions", path, store, image_root)


def reason_of(folder: Path, store: Store, bad: object) -> str:
    """Why ``bad``, between two good rows, was refused."""
    imported = load(folder, store, [row("before"), bad, row("after")])
    assert imported.names == ["before", "after"]
    (code, reason) = imported.problems["row 2"]
    assert code == "ROW_INVALID"
    assert reason.startswith("row 2: ")
    return reason.removeprefix("row 2: ")


def test_rows_keep_their_order_text_and_image(folder: Path, store: Store) -> None:
    conversation = turns("<image>\nWhat is it?", "Red.", "Sure?", "Yes.")
    imported = load(folder, store, [row("z", "coco/red.png", conversation), row(7), row("a", "coco\\blau ü.png")])
    assert imported.problems == {}
    assert imported.names == ["z", "7", "a"]
    first, text_only, third = imported.rows
    assert first["conversations"] == conversation
    assert (first["image"]["name"], first["image"]["width"]) == ("coco/red.png", 8)
    assert text_only == {"name": "7", "conversations": turns("What is it?", "A colour."), "image": None}
    assert third["conversations"][0]["value"] == "<image>\nWhat is it?"
    assert store.blob(third["image"]["sha256"]).read_bytes() == (folder / "coco" / "blau ü.png").read_bytes()


def test_json_lines_and_a_folder_of_its_own_for_images(folder: Path, store: Store, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join(json.dumps(row(number, "red.png")) for number in range(3)), "utf-8")
    imported = run_import("instructions", source, store, folder / "coco")
    assert imported.names == ["0", "1", "2"]
    failure = run_import("instructions", source, store, folder / "none").failure
    assert (failure["message"], failure["subject"]) == ("no such image folder", str(folder / "none"))


def test_a_system_turn_may_come_first(folder: Path, store: Store) -> None:
    system = {"from": "system", "value": "Be brief."}
    imported = load(folder, store, [row("a", "coco/red.png", [system, *turns("What?", "Red.")])])
    assert [turn["value"] for turn in imported.rows[0]["conversations"]] == ["Be brief.", "<image>\nWhat?", "Red."]
    assert "system turn that is not the first" in reason_of(folder, store, row("x", None, [*turns("What?", "Red."), system]))


@pytest.mark.parametrize(
    ("image", "code", "why"),
    [
        ("coco/none.png", "MISSING_IMAGE", "the file does not exist"),
        ("../secret.png", "PATH_ESCAPES", "the path leads out of the dataset's folder"),
        ("coco/../../secret.png", "PATH_ESCAPES", "the path leads out of the dataset's folder"),
        ("/etc/hostname", "PATH_ESCAPES", "the path leads out of the dataset's folder"),
        ("leak.png", "PATH_ESCAPES", "the path leads out of the dataset's folder"),
        ("coco", "UNREADABLE", "not a regular file"),
        ("coco/red.png/x", "UNREADABLE", ""),
        ("x" * 300, "UNREADABLE", ""),
        ("nul\x00.png", "UNREADABLE", "the file's name holds a NUL character"),
        ("rows.json", "NOT_AN_IMAGE", "text, not an image"),
        ("empty.png", "EMPTY_FILE", "the file has no bytes"),
        ("https://example.org/a.png", "MISSING_IMAGE", "the file does not exist"),
    ],
)
def test_a_row_whose_image_cannot_be_used_names_row_file_and_reason(folder: Path, store: Store, image: str, code: str, why: str) -> None:
    secret = folder.parent / "secret.png"
    secret.write_bytes(encoded(Image.new("RGB", (8, 8)), "PNG"))
    (folder / "leak.png").symlink_to(secret)
    (folder / "empty.png").touch()
    imported = load(folder, store, [row("good", "coco/red.png"), row("bad", image), row("also good", "coco/red.png")])
    assert imported.names == ["good", "also good"]
    ((name, problem),) = imported.problems.items()
    assert name == image.replace("\x00", "\ufffd")
    assert problem[0] == code
    assert problem[1].startswith(f"row 2 (bad): {why}")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("text", "it is not an object"),
        (None, "it is not an object"),
        ([], "it is not an object"),
        (row(True), "field id is True, not text or a whole number"),
        (row(1.5), "field id is 1.5, not text or a whole number"),
        (row("nul\x00"), "field id holds a NUL character"),
        (row("half\ud800"), "field id holds half of a surrogate pair"),
        (row("x", ["a.png", "b.png"]), "field image is ['a.png', 'b.png'], not the path of one image"),
        (row("x", ""), "field image is '', not the path of one image"),
        ({"id": "x"}, "field conversations is missing"),
        (row("x", None, []), "field conversations is [], not a list of turns"),
        (row("x", None, "hello"), "field conversations is 'hello', not a list of turns"),
        (row("x", None, ["hello"]), "field conversations[0] is 'hello', not an object"),
        (row("x", None, [{"from": "human"}]), "field conversations[0].value is missing"),
        (row("x", None, [{"value": "hi"}]), "field conversations[0].from is missing"),
        (row("x", None, [{"from": "human", "value": 3}]), "field conversations[0].value is not text"),
        (
            row("x", None, [{"from": "user", "value": "hi"}]),
            "field conversations[0].from is 'user'; allowed: human, gpt, system (first only)",
        ),
        (row("x", None, turns("hi")), "does not alternate human and gpt"),
        (row("x", None, turns("hi", "ho", "hi")), "does not alternate human and gpt"),
        (row("x", None, turns("hi", "ho")[::-1]), "does not alternate human and gpt"),
        (row("x", None, turns("hi", " ")), "field conversations has an empty answer"),
        (row("x", None, turns(" ", "ho")), "field conversations has an empty question"),
        (row("x", "coco/red.png", turns("hi", "ho", "", "ho")), "field conversations has an empty question"),
        (row("x", None, turns("hi", "a\x00b")), "field conversations[1].value holds a NUL character"),
        (row("x", None, turns("<image>\nhi", "ho")), "field image is missing although conversations holds <image>"),
        (row("x", "coco/red.png", turns("<image><image>", "ho")), "holds <image> 2 times; one image a row is supported"),
        (row("x", "coco/red.png", turns("hi", "ho", "<image>", "ho")), "holds <image> elsewhere than in the first question"),
    ],
)
def test_a_row_that_lacks_something_names_the_field(folder: Path, store: Store, bad: object, why: str) -> None:
    assert why in reason_of(folder, store, bad)


_UNREAD = "names media that is not read; a row may have one image, in the field image"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"video": "x.mp4"}, f"field video {_UNREAD}"),
        ({"videos": ["x.mp4"]}, f"field videos {_UNREAD}"),
        ({"audio": "x.wav"}, f"field audio {_UNREAD}"),
        ({"audio_path": "x.wav"}, f"field audio_path {_UNREAD}"),
        ({"images": ["a.png", "b.png"]}, "field images is ['a.png', 'b.png'], not the path of one image"),
        ({"images": [{"bytes": "..."}]}, "field images is [{'bytes': '...'}], not the path of one image"),
        ({"image": "coco/red.png", "images": ["coco/red.png", "coco/blau ü.png"]}, f"field images {_UNREAD}"),
        ({"image": "coco/red.png", "image_2": "coco/blau ü.png"}, f"field image_2 {_UNREAD}"),
        ({"image": "coco/red.png", "video": "x.mp4"}, f"field video {_UNREAD}"),
        ({"img": "coco/red.png"}, f"field img {_UNREAD}"),
        ({"image_path": "coco/red.png"}, f"field image_path {_UNREAD}"),
        ({"imageUrl": "https://example.org/a.png"}, f"field imageUrl {_UNREAD}"),
        ({"image_id": 17}, f"field image_id {_UNREAD}"),
        ({"pixel_values": [1]}, f"field pixel_values {_UNREAD}"),
        ({"conversations": [{"from": "human", "value": "hi", "image": "a.png"}]}, f"field image {_UNREAD}"),
        ({"conversations": turns("<video>\nWhat happens?", "Much.")}, "field conversations[0] holds <video>, a placeholder of media"),
        ({"conversations": turns("<audio> Who?", "I.")}, "holds <audio>, a placeholder"),
        ({"conversations": turns("Hi", "ho", "<image-placeholder>\nWhat?", "Red.")}, "field conversations[2] holds <image-placeholder>"),
        ({"conversations": turns("<ImageHere>What?", "Red.")}, "holds <ImageHere>, a placeholder"),
        ({"conversations": turns("<Image>What?", "Red.")}, "holds <Image>, a placeholder"),
        ({"conversations": turns("<image_1>What?", "Red.")}, "holds <image_1>, a placeholder"),
        ({"conversations": turns("<|image_pad|>What?", "Red.")}, "holds <|image_pad|>, a placeholder"),
        ({"conversations": turns("<|vision_start|>What?", "Red.")}, "holds <|vision_start|>, a placeholder"),
        ({"conversations": turns("<img>a.png</img>What?", "Red.")}, "holds <img>, a placeholder"),
    ],
)
def test_media_that_are_not_read_are_named_by_field(folder: Path, store: Store, fields: dict[str, Any], why: str) -> None:
    assert why in reason_of(folder, store, row("x") | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"image": ["coco/red.png"]},
        {"images": ["coco/red.png"]},
        {"image": "coco/red.png", "image_id": 17, "image_size": [8, 8], "image_url": "https://example.org/red.png"},
        {"image": "coco/red.png", "image_path": "/elsewhere/red.png"},
        {"image": "coco/red.png", "video": None, "videos": [], "audio": "", "num_images": 1},
    ],
)
def test_fields_about_the_image_that_is_read_do_no_harm(folder: Path, store: Store, fields: dict[str, Any]) -> None:
    imported = load(folder, store, [row("x") | fields])
    assert (imported.problems, imported.rows[0]["image"]["name"]) == ({}, "coco/red.png")


@pytest.mark.parametrize(
    "conversation",
    [
        turns("How do I play a film?", "Write <video> and </video> around it."),
        turns("What does <video src='a.mp4'> do?", "It plays."),
        turns("Explain <audio>...</audio>.", "It plays."),
        turns("I imagine a video of images.", "Fine."),
    ],
)
def test_words_and_html_about_media_are_text(folder: Path, store: Store, conversation: list[dict[str, str]]) -> None:
    imported = load(folder, store, [row("x", None, conversation) | {"num_images": 0, "has_image": False, "images": []}])
    assert (imported.problems, imported.rows[0]["conversations"]) == ({}, conversation)


def test_rows_without_an_id_are_numbered(folder: Path, store: Store) -> None:
    bare = {"conversations": turns("What?", "This.")}
    other = {"conversations": turns("And?", "That."), "image": "coco/red.png"}
    imported = load(folder, store, [row("a"), bare, {"id": None, **other}, {"id": "", **bare}, row("row-000002")])
    assert imported.names == ["a", "row-000002", "row-000003", "row-000002#2"]
    assert imported.problems == {"row-000004": ("DUPLICATE_NAME", "row 4: the same image and conversation as row 2")}


def test_a_missing_image_whose_other_ending_lies_there_says_so(folder: Path, store: Store) -> None:
    imported = load(folder, store, [row("good"), row("bad", "coco/red.jpg")])
    assert imported.problems == {"coco/red.jpg": ("MISSING_IMAGE", "row 2 (bad): the file does not exist; red.png lies in its place")}


def test_rows_that_share_an_id_are_all_kept_and_true_repeats_are_not(folder: Path, store: Store) -> None:
    question = turns("And what else?", "Nothing.")
    rows = [row("a", "coco/red.png"), row("a", "coco/red.png", question), row("a#2"), row("a"), row("a", "coco/red.png"), row("b")]
    imported = load(folder, store, rows)
    assert imported.names == ["a", "a#2", "a#2#2", "a#3", "b"]
    assert [bool(item["image"]) for item in imported.rows] == [True, True, False, False, False]
    assert imported.problems == {"a": ("DUPLICATE_NAME", "row 5: the same id, image and conversation as row 1")}


def test_many_rows_of_one_image_read_it_once(folder: Path, store: Store) -> None:
    imported = load(folder, store, [row(number, "coco/red.png") for number in range(500)])
    assert imported.names == [str(number) for number in range(500)]
    assert len({item["image"]["sha256"] for item in imported.rows}) == 1
    assert imported.progress[-1]["done"] == imported.progress[-1]["total"] == 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "rows.json is empty"),
        (b"[]", "there are no rows in it"),
        (b"[{}, 1]", "none of the 2 rows can be used"),
        (b'[{"id": "a", "conversations": [', "rows.json is not valid JSON: Expecting value, line 1 column 32"),
        (b"id;image;question\n1;a.png;What?\n", "rows.json is not valid JSON: Expecting value, line 1 column 1"),
        (b"\x89PNG\r\n\x1a\n", "rows.json is not UTF-8 text: line 1 holds the byte 0x89"),
        (b'{"data": []}', "a list of rows is expected, and the file holds one object whose field data is a list"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(folder: Path, store: Store, content: bytes, message: str) -> None:
    (folder / "rows.json").write_bytes(content)
    failure = run_import("instructions", folder / "rows.json", store).failure
    assert (failure["code"], failure["message"], failure["subject"]) == ("DATA_INVALID", message, str(folder / "rows.json"))


def test_a_source_that_is_no_file_is_refused(folder: Path, store: Store) -> None:
    for source, message in ((folder, "this is a folder, not a JSON file"), (folder / "none.json", "no such file")):
        failure = run_import("instructions", source, store).failure
        assert (failure["code"], failure["message"], failure["subject"]) == ("DATA_INVALID", message, str(source))
