"""A folder as users have them: everything good is imported, everything else is named with its reason."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stic_trainer.data import ingest
from stic_trainer.data.folder import ESCAPES
from stic_trainer.data.images import decode
from stic_trainer.data.testing import encoded, run_import
from stic_trainer.runtime import store as store_module
from stic_trainer.runtime.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "images"
    path.mkdir()
    return path


def picture(colour: str = "red", image_format: str = "PNG", size: tuple[int, int] = (20, 10)) -> bytes:
    return encoded(Image.new("RGB", size, colour), image_format)


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def test_an_item_says_what_its_file_is(folder: Path, store: Store) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("CMYK", (600, 300)), "JPEG", exif=exif)
    put(folder, {"photo.jpg": data})
    imported = run_import("images", folder, store)
    (item,) = imported.rows
    thumbnail = Image.open(store.blob(item.pop("thumbnail")))
    assert item == {
        "name": "photo.jpg",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "width": 300,
        "height": 600,
        "format": "JPEG",
        "mode": "CMYK",
    }
    assert store.blob(item["sha256"]).read_bytes() == data
    assert (thumbnail.format, thumbnail.mode, thumbnail.size) == ("JPEG", "RGB", (128, 256))
    assert imported.result["bytes"] == str(len(data))


def test_names_are_relative_sorted_and_found_everywhere(folder: Path, store: Store) -> None:
    files = {
        "b.PNG": picture("red"),
        "a/Üben & Größe/übung 1.JPeG": picture("red", "JPEG"),
        "a/z.webp": picture("red", "WEBP"),
        "日本/写真.png": picture("blue"),
        "same-content.png": picture("red"),
        "no ending": picture("green"),
        "wrong.txt": picture("green"),
        "named-wrong.png": picture("green", "JPEG"),
    }
    put(folder, files)
    imported = run_import("images", folder, store)
    assert imported.names == sorted(files)
    assert imported.problems == {}
    by_name = {row["name"]: row for row in imported.rows}
    assert by_name["b.PNG"]["sha256"] == by_name["same-content.png"]["sha256"]
    assert by_name["named-wrong.png"]["format"] == "JPEG"


def test_what_is_hidden_or_claims_nothing_is_left_alone(folder: Path, store: Store) -> None:
    put(
        folder,
        {
            "a.png": picture(),
            ".hidden.png": picture(),
            ".cache/b.png": picture(),
            "__MACOSX/._a.png": b"resource fork",
            "notes.txt": b"hello",
            "labels.json": b"{}",
            "table.csv": b"a,b\n1,2\n",
            "empty.txt": b"",
            "film.mp4": b"\x00\x00\x00\x18ftypmp42",
            "paper.pdf": b"%PDF-1.7",
            "Thumbs.db": bytes(100),
            "icon.svg": b"<?xml version='1.0'?><svg/>",
            "logo.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
            "figure.ps": b"%!PS-Adobe-3.0\n",
            "poster.ai": b"%PDF-1.5",
            "chart.emf": b"\x01\x00\x00\x00",
            "ride.fit": b"\x0e\x10",
        },
    )
    imported = run_import("images", folder, store)
    assert (imported.names, imported.problems) == (["a.png"], {})
    assert imported.progress[-1]["total"] == 1, "progress is in images"


def test_every_format_that_is_read_is_found(folder: Path, store: Store) -> None:
    heic = (Path(__file__).parent / "testdata" / "orientation-6.heic").read_bytes()
    put(folder, {"a.jxl": picture("red", "JXL"), "b.heic": heic, "c.HIF": heic, "without ending": heic, "d.rgb": picture("red", "SGI")})
    imported = run_import("images", folder, store)
    assert [(row["name"], row["format"]) for row in imported.rows] == [
        ("a.jxl", "JXL"),
        ("b.heic", "HEIF"),
        ("c.HIF", "HEIF"),
        ("d.rgb", "SGI"),
        ("without ending", "HEIF"),
    ]
    assert {(row["width"], row["height"]) for row in imported.rows[1:3]} == {(64, 32)}


def test_items_of_one_content_are_counted(folder: Path, store: Store) -> None:
    put(folder, {"a.png": picture("red"), "b.png": picture("red"), "c.png": picture("red"), "d.png": picture("blue"), "e.png": b""})
    imported = run_import("images", folder, store)
    assert imported.names == ["a.png", "b.png", "c.png", "d.png"]
    assert (imported.result["items"], imported.result["duplicates"], imported.result["repeats"]) == (4, 2, 0)


COCO = [f"COCO_train2014_{number:012}.jpg" for number in (9, 25, 30)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.json", json.dumps([*COCO[1:], COCO[1], "./" + COCO[2]])),
        ("list.jsonl", "\n".join(json.dumps(name) for name in (*COCO[1:], *COCO[1:]))),
        ("list.txt", "\ufeff" + "\r\n".join((COCO[1], "", *COCO[1:], COCO[2])) + "\r\n"),
    ],
)
def test_a_list_of_names_selects_from_a_folder(folder: Path, store: Store, tmp_path: Path, name: str, content: str) -> None:
    put(folder, {image: picture(colour, "JPEG") for image, colour in zip(COCO, ("red", "green", "blue"), strict=True)})
    (tmp_path / name).write_text(content, "utf-8", newline="")
    imported = run_import("images", folder, store, image_list=tmp_path / name)
    assert (imported.names, imported.problems) == (COCO[1:], {})
    assert (imported.result["items"], imported.result["repeats"], imported.result["duplicates"]) == (2, 2, 0)
    assert imported.progress[-1]["total"] == 2


def test_what_a_list_names_and_the_folder_lacks_is_a_problem(folder: Path, store: Store, tmp_path: Path) -> None:
    put(folder, {"a.png": picture(), "sub/b.gif": picture("red", "GIF"), "icon.svg": b"<svg/>"})
    put(tmp_path, {"secret.png": picture()})
    (tmp_path / "list.json").write_text(json.dumps(["sub\\b.jpg", "a.png", "gone.png", "icon.svg", "../secret.png", 7, ""]))
    imported = run_import("images", folder, store, image_list=tmp_path / "list.json")
    assert imported.names == ["a.png"]
    assert imported.problems == {
        "sub/b.jpg": ("MISSING_IMAGE", "the file does not exist; b.gif lies in its place"),
        "gone.png": ("MISSING_IMAGE", "the file does not exist"),
        "icon.svg": ("NOT_AN_IMAGE", "an SVG drawing, not a pixel image"),
        "../secret.png": ("PATH_ESCAPES", ESCAPES),
        "entry 6": ("ROW_INVALID", "entry 6 of the image list is not the name of an image"),
        "entry 7": ("ROW_INVALID", "entry 7 of the image list is not the name of an image"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b'["a.png", ', "list is not valid JSON: Expecting value, line 1 column 11"),
        (b"a.png\n\xff.png\n", "list is not UTF-8 text: line 2 holds the byte 0xFF"),
        (b"\x1f\x8b\x08", "list is compressed with gzip, not UTF-8 text"),
        (b"", "there are no images in it"),
    ],
)
def test_a_list_that_cannot_be_read_fails_as_a_whole(
    folder: Path, store: Store, tmp_path: Path, content: bytes | None, message: str
) -> None:
    put(folder, {"a.png": picture()})
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    assert run_import("images", folder, store, image_list=tmp_path / "list").failure["message"] == message


def test_links_lead_into_the_folders_that_the_setting_names(
    folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    put(data, {"train/a.png": picture("red"), "train/deep/b.png": picture("blue"), "c.png": picture("green")})
    put(other, {"d.png": picture()})
    (data / "train" / "round").symlink_to(data)
    (data / "train" / "home").symlink_to(folder)
    (folder / "c.png").symlink_to(data / "c.png")
    (folder / "d.png").symlink_to(other / "d.png")
    (folder / "train").symlink_to(data / "train")
    (folder / "twice").symlink_to(data / "train")
    (folder / "store").symlink_to(store.root)
    put(folder, {"own.png": picture("white")})
    monkeypatch.setenv("STIC_DATA_ROOTS", f"/nowhere:{data}:{store.root.parent / 'store'}")
    imported = run_import("images", folder, store)
    assert imported.codes == {"d.png": "PATH_ESCAPES", "store": "PATH_ESCAPES"}
    assert sorted(Path(name).name for name in imported.names) == ["a.png", "b.png", "c.png", "c.png", "own.png"]
    monkeypatch.setenv("STIC_DATA_ROOTS", "data")
    assert run_import("images", folder, store).failure["subject"] == "STIC_DATA_ROOTS"


def test_whatever_reading_an_image_does_costs_that_image_alone(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, {"a.png": picture("red"), "b.png": picture("blue"), "c.png": picture("green")})
    kinds: dict[bytes, BaseException] = {picture("red"): MemoryError(), picture("blue"): ZeroDivisionError("a fault")}

    def faulty(data: bytes, **options: Any) -> Image.Image:
        if data in kinds:
            raise kinds[data]
        return decode(data, **options)

    monkeypatch.setattr(ingest, "decode", faulty)
    imported = run_import("images", folder, store)
    assert (imported.names, imported.problems) == (
        ["c.png"],
        {
            "a.png": ("TOO_LARGE", "the memory does not suffice to decode it"),
            "b.png": ("UNREADABLE", "reading it failed: ZeroDivisionError: a fault"),
        },
    )


def test_every_bad_file_is_named_with_its_reason_and_costs_nothing_else(folder: Path, store: Store, tmp_path: Path) -> None:
    noise = encoded(Image.effect_noise((60, 60), 90), "JPEG")
    put(tmp_path / "outside", {"secret.png": picture("blue")})
    put(
        folder,
        {
            "good.png": picture(),
            "cut.jpg": noise[: len(noise) // 2],
            "empty.png": b"",
            "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "text.jpeg": b"this is not an image",
            "garbage.gif": bytes(range(256)),
            "phone.heic": b"\x00\x00\x00\x18ftypheic" + bytes(20),
            "line.png": encoded(Image.new("RGB", (1, 1000)), "PNG"),
            "good.jpg": picture("red", "JPEG"),
        },
    )
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "gone.png").symlink_to(folder / "nothing.png")
    (folder / "leak.png").symlink_to(tmp_path / "outside" / "secret.png")
    (folder / "outside").symlink_to(tmp_path / "outside")
    (folder / "again").symlink_to(folder)
    (folder / "inside.png").symlink_to(folder / "good.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/latin-\xe9.png")).write_bytes(picture())
    imported = run_import("images", folder, store)
    assert imported.names == ["good.jpg", "good.png", "inside.png"]
    assert imported.codes == {
        "cut.jpg": "TRUNCATED",
        "empty.png": "EMPTY_FILE",
        "drawing.jpg": "NOT_AN_IMAGE",
        "text.jpeg": "NOT_AN_IMAGE",
        "garbage.gif": "NOT_AN_IMAGE",
        "phone.heic": "TRUNCATED",
        "line.png": "TOO_LARGE",
        "pipe.png": "UNREADABLE",
        "loop.png": "UNREADABLE",
        "gone.png": "MISSING_IMAGE",
        "leak.png": "PATH_ESCAPES",
        "outside": "PATH_ESCAPES",
        "latin-\ufffd.png": "UNREADABLE",
    }
    assert imported.problems["leak.png"][1] == imported.problems["outside"][1] == ESCAPES
    assert imported.result["items"] == 3
    assert imported.progress[-1] == {"unit": "images", "done": 15, "total": 15, "eta_seconds": 0.0, "phase": "checking"}


def test_the_same_files_make_the_same_version_wherever_they_are(folder: Path, store: Store, tmp_path: Path) -> None:
    put(folder, {"x/a.png": picture("red"), "b.jpg": picture("blue", "JPEG")})
    other = tmp_path / "elsewhere"
    put(other, {"b.jpg": picture("blue", "JPEG"), "x/a.png": picture("red")})
    first, second = run_import("images", folder, store), run_import("images", other, Store(tmp_path / "other-store"))
    assert first.result == second.result
    put(other, {"b.jpg": picture("green", "JPEG")})
    assert run_import("images", other, store).result["manifest_sha256"] != first.result["manifest_sha256"]


def test_a_folder_that_is_a_link_is_followed_once(folder: Path, store: Store, tmp_path: Path) -> None:
    put(folder, {"a.png": picture()})
    (tmp_path / "link").symlink_to(folder)
    assert run_import("images", tmp_path / "link", store).names == ["a.png"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none", "no such folder"),
        (lambda folder: _with(folder, "a.png", picture()) / "a.png", "this is a file, not a folder"),
        (lambda folder: folder, "there are no images in it"),
        (lambda folder: _with(folder, "a.png", b""), "none of the 1 images can be used"),
        (lambda folder: Path("images"), "the path is not absolute"),
    ],
)
def test_a_source_without_images_fails_as_a_whole(folder: Path, store: Store, make, message: str) -> None:  # type: ignore[no-untyped-def]
    source = make(folder)
    failure = run_import("images", source, store).failure
    assert (failure["code"], failure["message"], failure["subject"]) == ("DATA_INVALID", message, str(source))


def test_too_little_disk_ends_the_import_in_words(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, {"a.png": picture()})
    monkeypatch.setattr(store_module, "RESERVE_BYTES", 1 << 60)
    failure = run_import("images", folder, store).failure
    assert (failure["code"], failure["transient"], failure["subject"]) == ("DISK_FULL", True, str(store.root))
    assert "bytes are needed" in failure["message"]
    assert failure["hint"]
    monkeypatch.undo()
    assert run_import("images", folder, store).names == ["a.png"]
    assert list((store.root / "tmp").iterdir()) == []


def _with(folder: Path, name: str, data: bytes) -> Path:
    put(folder, {name: data})
    return folder
