"""A folder as users have them: everything good is imported, everything else is named with its reason."""

import hashlib
import os
from pathlib import Path

import pytest
from PIL import Image

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
        },
    )
    imported = run_import("images", folder, store)
    assert (imported.names, imported.problems) == (["a.png"], {})


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
            "icon.svg": b"<?xml version='1.0'?><svg/>",
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
        "icon.svg": "NOT_AN_IMAGE",
        "text.jpeg": "NOT_AN_IMAGE",
        "garbage.gif": "NOT_AN_IMAGE",
        "phone.heic": "NOT_AN_IMAGE",
        "line.png": "TOO_LARGE",
        "pipe.png": "UNREADABLE",
        "loop.png": "UNREADABLE",
        "gone.png": "MISSING_IMAGE",
        "leak.png": "PATH_ESCAPES",
        "outside": "PATH_ESCAPES",
        "latin-\ufffd.png": "UNREADABLE",
    }
    assert imported.problems["leak.png"][1] == "the path leads out of the dataset's folder"
    assert imported.result["items"] == 3
    assert imported.progress[-1] == {"unit": "images", "done": 16, "total": 16, "eta_seconds": 0.0, "phase": "checking"}


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
