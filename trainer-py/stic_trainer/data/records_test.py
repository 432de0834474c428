"""Rows on disk: what is written is read back the same, and a bad line is named by file, line and field."""

import json
from pathlib import Path

import pytest

from stic_trainer.data.records import (
    Description,
    ImageItem,
    ImageRef,
    InfusedRow,
    InstructionRow,
    Pair,
    Turn,
    read_rows,
    to_line,
    write_rows,
)
from stic_trainer.errors import StageError

IMAGE = ImageItem(name="ü/a.png", sha256="0" * 64, bytes=3, width=2, height=1, format="PNG", mode="P", thumbnail="1" * 64)
TURNS = (Turn(sender="human", value="<image>\nWas?"), Turn(sender="gpt", value="Rot\u2028."))
PAIR = Pair(
    id="a",
    index=0,
    image=IMAGE.ref,
    prompt="Describe.",
    chosen="Good.",
    rejected="Bad.",
    made_by="blur",
    rejected_prompt="Describe.",
    corrupted_image=None,
    corruption_parameters={"radius": 2.5},
    seed=2**63 - 1,
)


@pytest.mark.parametrize(
    "record",
    [
        IMAGE,
        InstructionRow(name="1", conversations=TURNS, image=IMAGE),
        InstructionRow(name="2", conversations=TURNS, image=None),
        PAIR,
        Description(name="a", image=IMAGE.ref, prompt="p", description="d", seed=1),
        InfusedRow(name="a", image=None, conversations=TURNS),
    ],
    ids=lambda record: type(record).__name__,
)
def test_a_record_comes_back_as_it_was(tmp_path: Path, record) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rows.jsonl"
    assert write_rows(path, [record, record]) == 2
    assert list(read_rows(path, type(record))) == [record, record]


def test_lines_have_sorted_keys_no_spaces_and_llavas_names() -> None:
    row = InfusedRow(name="a", image=ImageRef(name="ü", sha256="0", width=4, height=3), conversations=TURNS[:1])
    turns, image = '"conversations":[{"from":"human","value":"<image>\\nWas?"}]', '"image":{"height":3,"name":"ü","sha256":"0","width":4}'
    assert to_line(row) == f'{{{turns},{image},"name":"a"}}'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "1"}, "pairs.jsonl:2: seed is '1', not a whole number"),
        ({"image": {"name": "a"}}, "pairs.jsonl:2: image.sha256 is missing"),
        ({"extra": 1}, "pairs.jsonl:2: extra is not a known field"),
        ({"corruption_parameters": {"radius": "big"}}, "pairs.jsonl:2: corruption_parameters.radius is 'big', not a finite number"),
        (None, "pairs.jsonl:2: not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, object] | None, message: str) -> None:
    path = tmp_path / "pairs.jsonl"
    good = to_line(PAIR)
    bad = good[:-5] if change is None else json.dumps(json.loads(good) | change)
    path.write_text(f"{good}\n{bad}\n", "utf-8")
    with pytest.raises(StageError, match="DATA_INVALID") as caught:
        list(read_rows(path, Pair))
    assert message in caught.value.message
    assert caught.value.subject == str(path)
