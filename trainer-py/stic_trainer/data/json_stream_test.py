"""JSON read element by element: the same values as json.loads, little memory, and errors by line and column."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from stic_trainer.data import json_stream
from stic_trainer.data.json_stream import read_elements
from stic_trainer.errors import StageError

VALUES = [
    {"id": "a", "nested": {"list": [1, [2.5, -3e-7], []], "text": 'quote " and \\ and \n'}},
    "ü 日本 \U0001f600",
    12345678,
    None,
    True,
    {},
]


def refused(path: Path) -> StageError:
    with pytest.raises(StageError) as caught:
        list(read_elements(path))
    assert (caught.value.code, caught.value.subject) == ("DATA_INVALID", str(path))
    return caught.value


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "rows.json"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_list_is_read_like_json_does_in_any_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None, ascii_only: bool
) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    assert list(read_elements(write(tmp_path, json.dumps(VALUES, indent=indent, ensure_ascii=ascii_only)))) == VALUES


@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_lines_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    text = "\r\n\r\n".join(json.dumps(value) for value in VALUES)
    assert list(read_elements(write(tmp_path, text))) == VALUES
    assert list(read_elements(write(tmp_path, text + "\n"))) == VALUES
    assert list(read_elements(write(tmp_path, json.dumps(VALUES[0], indent=2)))) == VALUES[:1]


def test_a_byte_order_mark_and_empty_lists_are_fine(tmp_path: Path) -> None:
    assert list(read_elements(write(tmp_path, '[{"id": 1}]', "utf-8-sig"))) == [{"id": 1}]
    assert list(read_elements(write(tmp_path, " [ ] \n"))) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rows.json is empty"),
        (" \n\t ", "rows.json is empty"),
        ("[", "Expecting value, line 1 column 2"),
        ('[{"id": 1}', "the file ends inside the list, line 1 column 11"),
        ('[{"id": 1},', "Expecting value, line 1 column 12"),
        ('[{"id": 1},]', "Expecting value, line 1 column 12"),
        ('[\n  {"id": 1}\n  {"id": 2}\n]', "expected ',' or ']' after an element, line 3 column 3"),
        ('[\n  {"id": 1},\n  {"id": 2,}\n]', "line 3 column 1"),
        ('[{"id": "a\nb"}]', "Invalid control character at, line 1 column 11"),
        ('[{"id": "never ends]', "Unterminated string starting at, line 1 column 9"),
        ("[1] [2]", "there is text after the end of the list, line 1 column 5"),
        ("[1, nul]", "Expecting value, line 1 column 5"),
        ('{"id": 1}\n{"id": 2\n', "line 3 column 1"),
        ("id,image,text\n1,a.png,hello\n", "Expecting value, line 1 column 1"),
        ("<html><body>404</body></html>", "Expecting value, line 1 column 1"),
        ("[" * 100_000, "the element is nested too deeply, line 1 column 2"),
        ("[" + "9" * 5000 + "]", "Exceeds the limit"),
    ],
)
def test_what_does_not_parse_is_named_by_place(tmp_path: Path, text: str, message: str) -> None:
    error = refused(write(tmp_path, text))
    assert message in error.message
    if text.strip():
        assert error.message.startswith("rows.json is not valid JSON: ")
        assert error.hint == "Nothing was imported. Correct the file and import it again."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": "a"},\n{"id": "Größe"}]'.encode("latin-1"), "rows.json is not UTF-8 text: line 2 holds the byte 0xF6"),
        ('[{"id": "Größe"}]'.encode("utf-16"), "rows.json is UTF-16 text, not UTF-8 text"),
        ('[{"id": "Größe"}]'.encode("utf-16-le"), "rows.json is binary data or UTF-16 text, not UTF-8 text"),
        (gzip.compress(b"[]", mtime=0), "rows.json is compressed with gzip, not UTF-8 text"),
        (b"PAR1\x15\x04", "rows.json is a Parquet file, not UTF-8 text"),
        (b"PK\x03\x04\x14", "rows.json is a zip archive, not UTF-8 text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "rows.json is a Git LFS pointer in place of the file, not UTF-8 text"),
    ],
)
def test_what_is_no_utf_8_text_is_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    error = refused(path)
    assert (error.message, error.subject) == (message, str(path))
    assert error.hint


def test_a_byte_that_is_not_utf_8_is_found_far_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(b'"\xc3\xb6\xe2\x82\xac"\n' * 300_000 + b'"\xc3"\n')
    assert refused(path).message == "rows.json is not UTF-8 text: line 300001 holds the byte 0xC3"


def test_an_error_far_into_a_file_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 50)
    lines = ",\n".join(json.dumps({"id": number, "text": "word " * 20}) for number in range(200))
    broken = lines.replace('{"id": 150,', '{"id"; 150,')
    assert "Expecting ':' delimiter, line 152 column 6" in refused(write(tmp_path, f"[\n{broken}\n]")).message


def test_an_element_without_an_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 1 << 10)
    monkeypatch.setattr(json_stream, "_LONGEST", 1 << 20)
    error = refused(write(tmp_path, '[{"id": "' + "x" * (3 << 20)))
    assert "the element is longer than 1 MiB, line 1 column 2" in error.message


def test_a_large_file_needs_the_memory_of_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 1 << 16)
    row = json.dumps({"id": "x", "conversations": [{"from": "human", "value": "word " * 200}]})
    path = tmp_path / "large.json"
    with open(path, "w") as file:
        file.write("[" + ",\n".join([row] * 8_000) + "]")
    assert path.stat().st_size > 8e6
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_elements(path)) == 8_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1e6
