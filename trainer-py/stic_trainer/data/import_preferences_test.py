"""Preference files as papers and trainers publish them: each layout is read into the same pairs, and what a pair cannot hold is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stic_trainer.data.records import ImageItem, Pair, read_rows
from stic_trainer.data.testing import Imported, encoded, run_import
from stic_trainer.runtime.store import Store

QUESTION, GOOD, BAD = "Summarize the visual content presented.", "A red square.\nNothing else.", "A red square and a dog."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    (path / "train2014").mkdir(parents=True)
    for name, colour in (("red.jpg", "red"), ("blau ü.png", "blue")):
        (path / "train2014" / name).write_bytes(encoded(Image.new("RGB", (10, 8), colour), "PNG"))
    return path


def said(role: str, content: object) -> dict[str, object]:
    return {"role": role, "content": content}


def told(sender: str, value: str) -> dict[str, str]:
    return {"from": sender, "value": value}


PICTURE, IMAGE = {"type": "image"}, "train2014/red.jpg"
WORDS = {"type": "text", "text": QUESTION}
STIC: dict[str, Any] = {
    "image": IMAGE,
    "image_corruption": False,
    "hallu_prompt": "",
    "chosen": [said("user", QUESTION), said("assistant", GOOD)],
    "rejected": [said("user", QUESTION), said("assistant", BAD)],
}
TRL: dict[str, Any] = {
    "images": [IMAGE],
    "prompt": [said("user", [PICTURE, WORDS])],
    "chosen": [said("assistant", [{"type": "text", "text": GOOD}])],
    "rejected": [said("assistant", BAD)],
}
SWIFT: dict[str, Any] = {
    "messages": [said("user", f"<image>{QUESTION}"), said("assistant", GOOD)],
    "rejected_response": BAD,
    "images": [IMAGE],
}
FACTORY: dict[str, Any] = {
    "conversations": [told("human", f"<image>{QUESTION}")],
    "chosen": told("gpt", GOOD),
    "rejected": told("gpt", BAD),
    "images": [IMAGE],
}

LAYOUTS: dict[str, dict[str, Any]] = {
    "STIC": STIC,
    "TRL": TRL,
    "TRL, both sides with the question": {
        "images": [{"path": IMAGE, "bytes": None}],
        "chosen": [said("user", [PICTURE | {"text": None}, WORDS]), said("assistant", GOOD)],
        "rejected": [said("user", [PICTURE, WORDS]), said("assistant", BAD)],
    },
    "TRL, texts": {"prompt": QUESTION, "chosen": GOOD, "rejected": BAD, "image": IMAGE, "videos": None, "audio": []},
    "LLaMA-Factory": FACTORY,
    "LLaMA-Factory, roles": {
        "messages": [said("user", f"<image>\n{QUESTION}")],
        "chosen": said("assistant", GOOD),
        "rejected": said("assistant", BAD),
        "images": [IMAGE],
    },
    "LLaVA": {
        "id": "x",
        "image": IMAGE,
        "conversations": [told("human", f"<image>\n{QUESTION}"), told("gpt", GOOD)],
        "chosen": GOOD,
        "rejected": BAD,
        "made_by": "misleading_prompt",
    },
    "ms-swift": SWIFT,
    "ms-swift, messages": {
        "messages": SWIFT["messages"],
        "rejected_messages": [said("user", f"<image>{QUESTION}"), said("assistant", BAD)],
        "images": IMAGE,
    },
}


def load(folder: Path, store: Store, rows: object, image_root: Path | None = None) -> Imported:
    path = folder / "pairs.json"
    path.write_text(json.dumps(rows), "utf-8")
    return run_import("preferences", path, store, image_root)


def refusal(folder: Path, store: Store, bad: object) -> tuple[str, str]:
    """Code and reason of ``bad``, between two good rows that are kept."""
    imported = load(folder, store, [STIC, bad, TRL | {"id": "after"}])
    assert [row["id"] for row in imported.rows] == ["1", "after"]
    assert list(imported.problems) == ["row 2"]
    code, reason = imported.problems["row 2"]
    return code, reason


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_every_layout_makes_the_pair_that_stage_dpo_reads(folder: Path, store: Store, name: str) -> None:
    imported = load(folder, store, [LAYOUTS[name]])
    assert imported.problems == {}
    (pair,) = read_rows(store.blob(imported.result["manifest_sha256"]), Pair)
    assert (pair.prompt, pair.chosen, pair.rejected) == (QUESTION, GOOD, BAD)
    assert (pair.index, pair.made_by, pair.rejected_prompt, pair.corrupted_image) == (0, "imported", "", None)
    assert isinstance(pair.image, ImageItem)
    assert (pair.image.name, pair.image.width, pair.image.format) == (IMAGE, 10, "PNG")
    assert store.blob(pair.image.sha256).read_bytes() == (folder / IMAGE).read_bytes()
    assert store.blob(pair.image.thumbnail).is_file()


def test_rows_are_numbered_where_they_have_no_id_and_repeated_ids_are_told_apart(folder: Path, store: Store) -> None:
    other = TRL | {"rejected": "Two dogs.", "prompt": QUESTION, "chosen": GOOD}
    imported = load(
        folder, store, [STIC, FACTORY | {"id": 7}, other | {"id": 7}, other, {**STIC, "id": "1", "image": "train2014/blau ü.png"}]
    )
    assert [(row["id"], row["index"]) for row in imported.rows] == [("1", 0), ("7", 1), ("7#2", 2), ("4", 3), ("1#2", 4)]
    assert imported.problems == {}


def test_the_same_row_again_is_listed(folder: Path, store: Store) -> None:
    assert refusal(folder, store, FACTORY) == ("DUPLICATE_NAME", "row 2: the same id, image, question and answers as row 1")


def test_json_lines_with_a_folder_of_its_own_for_images(folder: Path, store: Store, tmp_path: Path) -> None:
    source = tmp_path / "pref_data_mscoco.jsonl"
    rows = [{**STIC, "image": name} for name in ("red.jpg", "blau ü.png", "gone.jpg", "../outside.jpg")]
    source.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    imported = run_import("preferences", source, store, folder / "train2014")
    assert [row["image"]["name"] for row in imported.rows] == ["red.jpg", "blau ü.png"]
    assert imported.problems["row 3"] == ("MISSING_IMAGE", "row 3 (gone.jpg): the file does not exist")
    assert imported.problems["row 4"][0] == "PATH_ESCAPES"
    assert run_import("preferences", source, store, folder / "none").failure["message"] == "no such image folder"
    assert run_import("preferences", folder, store).failure["message"] == "this is a folder, not a JSON file"


OTHER = "Describe it."
REFUSED: dict[str, tuple[object, str, str]] = {
    "no object": ("a text", "ROW_INVALID", "it is not an object"),
    "instructions": ({"id": 1, "conversations": [], "image": IMAGE}, "ROW_INVALID", "no layout of preference pairs that is known"),
    "no image": ({key: value for key, value in TRL.items() if key != "images"}, "ROW_INVALID", "read as TRL: it has no image"),
    "several images": (FACTORY | {"images": [IMAGE, IMAGE]}, "ROW_INVALID", "read as LLaMA-Factory: it has 2 images"),
    "two image fields": (SWIFT | {"image": IMAGE}, "ROW_INVALID", "both fields image and images"),
    "image in bytes": (TRL | {"images": [{"bytes": "iVBOR", "path": None}]}, "ROW_INVALID", "not the path of one image"),
    "image on the web": (STIC | {"image": "https://x.org/a.jpg"}, "ROW_INVALID", "images are read from files only"),
    "a video": (SWIFT | {"videos": ["a.mp4"]}, "ROW_INVALID", "field videos holds ['a.mp4']"),
    "audio": (TRL | {"audio": {"path": "a.wav"}}, "ROW_INVALID", "field audio holds"),
    "another image for the rejected side": (SWIFT | {"rejected_images": ["b.jpg"]}, "ROW_INVALID", "field rejected_images holds"),
    "a video without its field": (
        FACTORY | {"conversations": [told("human", f"<image><video>{QUESTION}")]},
        "ROW_INVALID",
        "the question holds <video>",
    ),
    "a system message": (SWIFT | {"messages": [said("system", "Be brief."), *SWIFT["messages"]]}, "ROW_INVALID", "a system message"),
    "a system field": (FACTORY | {"system": "Be brief."}, "ROW_INVALID", "field system holds Be brief."),
    "earlier turns": (
        TRL | {"prompt": [said("user", QUESTION), said("assistant", "Yes."), said("user", OTHER)]},
        "ROW_INVALID",
        "the chosen side has the messages user, assistant, user, assistant; only one question and its answer",
    ),
    "no question": ({**TRL, "prompt": []}, "ROW_INVALID", "the chosen side has the messages assistant"),
    "an empty question": (FACTORY | {"conversations": [told("human", "<image>\n ")]}, "EMPTY_TEXT", "the question is empty"),
    "different questions": (
        STIC | {"rejected": [said("user", OTHER), said("assistant", BAD)]},
        "ROW_INVALID",
        f"the sides answer different questions: '{QUESTION}' and '{OTHER}'",
    ),
    "equal answers": (SWIFT | {"rejected_response": f"{GOOD} "}, "EQUAL_SIDES", "both sides have the same text"),
    "an empty answer": (SWIFT | {"rejected_response": " "}, "EMPTY_TEXT", "the rejected answer is empty"),
    "an image behind text": (TRL | {"prompt": [said("user", [WORDS, PICTURE])]}, "ROW_INVALID", "the image stands behind text"),
    "two placeholders": (TRL | {"prompt": [said("user", [PICTURE, PICTURE, WORDS])]}, "ROW_INVALID", "the question holds 2 images"),
    "a placeholder in an answer": (SWIFT | {"rejected_response": f"<image>{BAD}"}, "ROW_INVALID", "the rejected answer holds <image>"),
    "a tool's answer": (FACTORY | {"rejected": {"from": "tool", "value": BAD}}, "ROW_INVALID", "field rejected.from is tool"),
    "an image inside the message": (
        TRL | {"prompt": [said("user", [PICTURE | {"image": IMAGE}, WORDS])]},
        "ROW_INVALID",
        "allowed: an image without more, or text",
    ),
    "an answer that is no text": (SWIFT | {"rejected_response": 3}, "ROW_INVALID", "field rejected_response is 3, not text"),
    "another chosen answer": (LAYOUTS["LLaVA"] | {"chosen": "A."}, "ROW_INVALID", "read as LLaVA: the conversation ends in another answer"),
    "half a surrogate": (
        STIC | {"chosen": [said("user", QUESTION), said("assistant", "\ud83d")]},
        "ROW_INVALID",
        "half of a surrogate pair",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_a_pair_cannot_hold_is_refused_by_name(folder: Path, store: Store, case: str) -> None:
    bad, code, reason = REFUSED[case]
    found, text = refusal(folder, store, bad)
    assert found == code
    assert text.startswith("row 2: ") and reason in text


def test_a_file_without_a_usable_row_is_refused_as_a_whole(folder: Path, store: Store) -> None:
    failure = load(folder, store, [STIC | {"image": "gone.jpg"}]).failure
    assert failure["message"] == "none of the 1 pairs can be used"
