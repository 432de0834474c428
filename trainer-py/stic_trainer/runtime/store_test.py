"""The store: named by content, complete or absent, whoever writes at the same time."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from stic_trainer.errors import StageError
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.store import Store, tree_files


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def at_once(work: Callable[[int], object], times: int = 8) -> set[object]:
    barrier = Barrier(times)

    def one(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(times) as pool:
        return set(pool.map(one, range(times)))


def drafts(store: Store) -> list[Path]:
    return list((store.root / "tmp").iterdir())


def tree(folder: Path) -> Path:
    (folder / "deep" / "ü").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "b.bin").write_bytes(bytes(3_000_000))
    (folder / "deep" / "ü" / "a.json").write_text("{}")
    return folder


def test_a_blob_lies_where_its_digest_says(store: Store, tmp_path: Path) -> None:
    digest = store.put_blob_bytes(b"hello")
    assert digest == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert store.blob(digest) == store.root / "blobs" / "2c" / digest
    (tmp_path / "file").write_bytes(b"hello")
    assert store.put_blob_file(tmp_path / "file") == (digest, 5)
    assert store.blob(digest).read_bytes() == b"hello"
    assert drafts(store) == []


def test_a_trees_digest_is_that_of_its_sorted_lines(store: Store, tmp_path: Path) -> None:
    digest, size = store.put_tree(tree(tmp_path / "source"))
    lines = sorted(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in (("b.bin", bytes(3_000_000)), ("deep/ü/a.json", b"{}"))
    )
    assert digest == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert size == 3_000_002
    assert [name for name, _ in tree_files(store.tree(digest))] == ["b.bin", "deep/ü/a.json"]
    assert store.put_tree(store.tree(digest)) == (digest, size)
    assert drafts(store) == []


def test_writers_of_the_same_content_do_not_disturb_each_other(store: Store, tmp_path: Path) -> None:
    source = tree(tmp_path / "source")
    assert len(at_once(lambda _: store.put_tree(source))) == 1
    data = bytes(500_000)
    assert at_once(lambda _: store.put_blob_bytes(data)) == {hashlib.sha256(data).hexdigest()}
    assert len(at_once(lambda _: store.put_blob_file(source / "b.bin"))) == 1
    assert drafts(store) == []


def test_whoever_comes_first_names_the_store(tmp_path: Path) -> None:
    assert len(at_once(lambda _: Store(tmp_path / "store").id())) == 1
    assert Store(tmp_path / "store").id() != Store(tmp_path / "other").id()


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_what_the_store_does_not_hold_is_named(store: Store, digest: str) -> None:
    for find in (store.blob, store.tree):
        with pytest.raises(StageError, match=r"the artifact store holds no (blob|tree)") as caught:
            find(digest)
        assert (caught.value.code, caught.value.subject) == ("DATA_INVALID", digest)


def test_what_does_not_fit_is_refused_before_it_is_written(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "huge" / "sparse"
    source.parent.mkdir()
    with open(source, "wb") as file:
        file.truncate(shutil.disk_usage(tmp_path).free)
    puts: list[Callable[[], object]] = [lambda: store.put_blob_file(source), lambda: store.put_tree(source.parent)]
    for put in puts:
        with pytest.raises(StageError, match="bytes are needed and") as caught:
            put()
        assert (caught.value.code, caught.value.subject, caught.value.transient) == ("DISK_FULL", str(store.root), True)
    assert drafts(store) == []


def test_a_write_that_fails_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    folder = tree(tmp_path / "source")
    (folder / "z.bin").symlink_to("/proc/self/mem")  # is a file, and reading it fails
    puts: list[Callable[[], object]] = [lambda: store.put_tree(folder), lambda: store.put_blob_file(folder / "z.bin")]
    for put in puts:
        with pytest.raises(OSError, match="Input/output error"):
            put()
    assert drafts(store) == []
    assert list((store.root / "trees").iterdir()) == []


def test_the_systems_full_disk_is_told_in_words(store: Store) -> None:
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    error = job_error(caught.value, store.root)
    assert (error["code"], error["subject"], error["transient"]) == ("DISK_FULL", str(store.root), True)
    assert error["message"].startswith("the disk is full (")
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = caught.value
    assert job_error(wrapped, store.root)["code"] == "DISK_FULL"
