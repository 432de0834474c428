"""What a stage says comes out in order, at a bearable rate, and never breaks the chart or the journal."""

import io
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stic_trainer.config.job import ModelSpec
from stic_trainer.data.records import ImageRef
from stic_trainer.errors import StageError, Stopped
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.failures import job_error
from stic_trainer.runtime.sinks import TerminalSink
from stic_trainer.runtime.stop import StopSignal
from stic_trainer.runtime.store import Store


class Heard:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any], bool]] = []

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        self.events.append((kind, dict(body), durable))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [body for heard, body, _ in self.events if heard == kind]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def ctx(tmp_path: Path, heard: Heard) -> StageContext:
    return StageContext(sink=heard, store=Store(tmp_path / "store"), work=tmp_path / "work")


def test_progress_comes_a_few_times_a_second_and_the_last_always(ctx: StageContext, heard: Heard) -> None:
    began = time.monotonic()
    while time.monotonic() - began < 0.6:
        ctx.progress(int((time.monotonic() - began) * 1000), 1000, unit="images")
    assert 3 <= len(heard.of("progress")) <= 4
    ctx.progress(999, 1000)
    ctx.progress(1000, 1000)
    assert heard.of("progress")[-1] == {"unit": "images", "done": 1000, "total": 1000, "eta_seconds": 0.0, "phase": ""}


def test_a_new_count_and_a_new_phase_are_told_at_once(ctx: StageContext, heard: Heard) -> None:
    ctx.progress(1, 10, unit="images")
    ctx.progress(2, 10)
    ctx.phase("training")
    ctx.progress(1, 5, unit="steps")
    told = [(body["phase"], body["unit"], body["done"]) for body in heard.of("progress")]
    assert told == [("", "images", 1), ("", "images", 2), ("training", "", 0), ("training", "steps", 1)]


def test_what_the_limit_held_back_comes_before_an_artifact(ctx: StageContext, heard: Heard, tmp_path: Path) -> None:
    ctx.progress(1, 10, unit="rows")
    ctx.progress(7, 10)
    (tmp_path / "rows.jsonl").write_text("{}\n")
    digest = ctx.publish_blob("pairs", tmp_path / "rows.jsonl", "application/jsonl", 1, {"template_hash": "t"})
    assert [(kind, durable) for kind, _, durable in heard.events] == [("progress", False), ("progress", False), ("artifact", True)]
    assert heard.of("progress")[-1]["done"] == 7
    assert heard.of("artifact") == [
        {
            "name": "pairs",
            "kind": "ARTIFACT_KIND_BLOB",
            "sha256": digest,
            "bytes": "3",
            "media_type": "application/jsonl",
            "items": 1,
            "metadata": {"template_hash": "t"},
        }
    ]
    assert ctx.store.blob(digest).read_text() == "{}\n"


def test_a_tree_is_published_whole(ctx: StageContext, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    digest = ctx.publish_tree("adapter", tmp_path / "adapter")
    (artifact,) = heard.of("artifact")
    assert (artifact["kind"], artifact["sha256"], artifact["bytes"]) == ("ARTIFACT_KIND_TREE", digest, "2")
    assert (ctx.store.tree(digest) / "adapter_config.json").read_text() == "{}"


def test_a_value_that_is_no_number_is_a_warning_and_not_a_point(ctx: StageContext, heard: Heard) -> None:
    ctx.metric("dpo/loss", 1, 0.5)
    for value in (math.nan, math.inf):
        ctx.metric("dpo/loss", 2, value)
    assert heard.of("metric") == [{"name": "dpo/loss", "step": 1, "value": 0.5}]
    assert [log["message"] for log in heard.of("log")] == ["dpo/loss is nan at step 2", "dpo/loss is inf at step 2"]


def test_facts_add_up(ctx: StageContext, heard: Heard) -> None:
    ctx.facts(device="cpu", threads="2")
    ctx.facts(resumed_from_step="4", attention="sdpa")
    first, second = heard.of("state")
    assert (first["device"], first["facts"]) == ("cpu", {"threads": "2"})
    assert second == {
        "state": "JOB_STATE_RUNNING",
        "device": "cpu",
        "dtype": "",
        "resumed_from_step": 4,
        "facts": {"threads": "2", "attention": "sdpa"},
    }


def test_samples_skips_and_scores_have_the_protos_fields(ctx: StageContext, heard: Heard) -> None:
    ctx.sample("stage1", ImageRef(name="a.png", sha256="0"), "Describe.", "A dog.")
    ctx.skip("b.png", "TRUNCATED", "it ends early")
    ctx.evaluation({"benchmark": "x", "value": 50.0})
    assert heard.of("sample") == [
        {"subject": "stage1", "image_sha256": "0", "image_name": "a.png", "prompt": "Describe.", "text": "A dog."}
    ]
    assert heard.of("skipped") == [{"name": "b.png", "code": "TRUNCATED", "reason": "it ends early"}]
    assert heard.of("evaluation") == [{"benchmark": "x", "value": 50.0}]


def test_a_stop_is_raised_where_the_stage_asks(tmp_path: Path, heard: Heard) -> None:
    stop = StopSignal()
    ctx = StageContext(sink=heard, store=Store(tmp_path / "store"), work=tmp_path / "work", stop=stop)
    ctx.check_stop()
    stop.request()
    assert ctx.stop_requested
    with pytest.raises(Stopped):
        ctx.check_stop()


def test_a_model_that_is_not_there_is_named(ctx: StageContext, tmp_path: Path) -> None:
    spec = ModelSpec(path="embedded:world", digest="", architecture="", template_hash="")
    assert (ctx.model_path(spec) / "config.json").is_file()
    missing = str(tmp_path / "none")
    with pytest.raises(StageError, match="MODEL_INVALID") as caught:
        ctx.model_path(ModelSpec(path=missing, digest="", architecture="", template_hash=""))
    assert caught.value.subject == missing


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (StageError("DIVERGED", "loss is nan", "dpo.beta", "lower it", True), "DIVERGED", "loss is nan"),
        (MemoryError(), "OUT_OF_MEMORY", "no message"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "OUT_OF_MEMORY", "CUDA out of memory. Tried to allocate"),
        (
            RuntimeError("[enforce fail] can't allocate memory: you tried"),
            "OUT_OF_MEMORY",
            "[enforce fail] can't allocate memory: you tried",
        ),
        (KeyError("x"), "INTERNAL", "KeyError: 'x'"),
        (SystemExit(3), "INTERNAL", "SystemExit: 3"),
        (ValueError("first line\nsecond " + "x" * 400), "INTERNAL", "ValueError: first line"),
        (ValueError("x" * 400), "INTERNAL", "ValueError: " + "x" * 300 + "..."),
    ],
)
def test_every_exception_is_an_error_a_person_can_read(tmp_path: Path, error: BaseException, code: str, message: str) -> None:
    told = job_error(error, tmp_path)
    assert (told["code"], told["message"]) == (code, message)
    assert told["hint"]


def test_the_terminal_shows_progress_on_one_line(tmp_path: Path) -> None:
    stream = io.StringIO()
    ctx = StageContext(sink=TerminalSink(stream), store=Store(tmp_path / "store"), work=tmp_path / "work")
    ctx.phase("loading")
    ctx.progress(1, 1, unit="rows")
    ctx.log("done")
    assert stream.getvalue().split("\r\x1b[K")[1:] == ["loading 0/0 ", "loading 1/1 rows, 0 s left\nlog: level=info message=done\n"]


def test_what_a_name_holds_does_not_steer_the_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    ctx = StageContext(sink=TerminalSink(stream), store=Store(tmp_path / "store"), work=tmp_path / "work")
    ctx.log("skipped bild \x1b]0;owned\x07\x1b[2J\u202e ü.png\nlog: level=info")
    assert stream.getvalue() == "log: level=info message=skipped bild \\x1b]0;owned\\x07\\x1b[2J\\u202e ü.png\\nlog: level=info\n"
