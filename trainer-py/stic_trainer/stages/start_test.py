"""A run that starts from an earlier adapter, and the comparison of its candidate with the champion."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stic_trainer.config.job import ArtifactKind, Job, JobInput, StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.data.importing import ImportRequest, import_dataset
from stic_trainer.errors import StageError
from stic_trainer.runtime.context import StageContext
from stic_trainer.runtime.store import Store
from stic_trainer.runtime.worker import run_stage
from stic_trainer.sidecar.testing import TREES
from stic_trainer.world.dataset import render_demo

_SMALL: dict[str, Any] = {
    "prefer": {"generation": {"max_new_tokens": 16}},
    "dpo": {"optimizer": {"batch_size": 4, "epochs": 1, "learning_rate": 1e-3}},
    "evaluate": {
        "modes": ["plain"],
        "sample_images": 0,
        "describe_generation": {"max_new_tokens": 16},
        "answer_generation": {"max_new_tokens": 16},
        "bootstrap_resamples": 200,
    },
}


class _Memory:
    """Keeps what a stage says."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Mapping[str, Any]]] = []

    def emit(self, kind: str, body: Mapping[str, Any], *, durable: bool = False) -> None:
        self.said.append((kind, dict(body)))

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [body for name, body in self.said if name == kind]


class _Lab:
    """Stages on eight images, one after the other, with one store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "store")
        render_demo(folder / "world", seed=4711, num_images=8, num_instructions=1, num_test_scenes=4)
        self.images = self._import("images", folder / "world" / "images")
        self.benchmark = self._import("benchmark", folder / "world" / "benchmarks" / "world-descriptions")
        self.runs = 0

    def _import(self, kind: str, source: Path) -> str:
        with open(self.folder / f"{kind}.log", "w+", encoding="utf-8") as out:
            assert import_dataset(ImportRequest(kind=kind, source=source), self.folder / "store", out) == 0
            out.seek(0)
            result: str = json.loads(out.read().splitlines()[-1])["result"]["manifest_sha256"]
        return result

    def run(self, kind: StageKind, *, changes: dict[str, Any] | None = None, **inputs: str) -> _Memory:
        """A stage with these inputs by role."""
        self.runs += 1
        given = tuple(
            JobInput(role=role, name="", sha256=sha256, kind=ArtifactKind.TREE if role in TREES else ArtifactKind.BLOB, metadata={})
            for role, sha256 in inputs.items()
        )
        recipe = load_recipe("tiny", _SMALL | (changes or {}))
        memory = _Memory()
        ctx = StageContext(sink=memory, store=self.store, work=self.folder / f"work{self.runs}")
        run_stage(Job(job_id="job", run_id="run", kind=kind, recipe=recipe, inputs=given), ctx, threads=1)
        return memory


def _made(memory: _Memory) -> str:
    sha256: str = memory.of("artifact")[0]["sha256"]
    return sha256


def _first(memory: _Memory, name: str) -> float:
    return next(float(body["value"]) for body in memory.of("metric") if body["name"] == name and body["step"] == 1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> _Lab:
    return _Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def champion(lab: _Lab) -> str:
    pairs = _made(lab.run(StageKind.PREFER, images=lab.images))
    return _made(lab.run(StageKind.DPO, pairs=pairs))


def test_a_run_from_the_champion_writes_trains_and_refers_with_it(lab: _Lab, champion: str) -> None:
    from_base = _made(lab.run(StageKind.PREFER, images=lab.images))
    pairs = _made(lab.run(StageKind.PREFER, images=lab.images, start=champion))
    assert pairs != from_base, "the champion writes otherwise than the base model"

    trained = lab.run(StageKind.DPO, pairs=pairs, start=champion)
    # Before the first step policy and reference are one, so nothing is preferred yet; the base model would be another reference.
    assert _first(trained, "rewards/margins") == pytest.approx(0, abs=1e-4)
    chosen = 0.25 * _first(trained, "logps/chosen")
    assert _first(trained, "dpo/loss") == pytest.approx(math.log(2) - chosen, rel=1e-4)
    assert _made(trained) != champion
    adapter = lab.store.tree(_made(trained))
    assert json.loads((adapter / "adapter_config.json").read_text("utf-8"))["r"] == 32


@pytest.mark.parametrize("field,value", [("rank", 16), ("alpha", 32), ("dropout", 0.5), ("target_modules", ["q_proj"])])
def test_an_adapter_of_another_shape_is_refused_by_the_field(lab: _Lab, champion: str, field: str, value: object) -> None:
    pairs = _made(lab.run(StageKind.PREFER, images=lab.images))
    changes = {"dpo": _SMALL["dpo"] | {"lora": {field: value}}}
    with pytest.raises(StageError, match="the recipe says") as refused:
        lab.run(StageKind.DPO, changes=changes, pairs=pairs, start=champion)
    assert (refused.value.code, refused.value.subject) == ("CONFIG_INVALID", f"dpo.lora.{field}")


def test_the_candidate_is_compared_with_the_champion_in_the_same_run(lab: _Lab, champion: str) -> None:
    memory = lab.run(StageKind.EVALUATE, benchmark=lab.benchmark, stage1=champion, champion=champion)
    scores = memory.of("evaluation")
    assert {row["subject"] for row in scores} == {"base", "champion", "stage1"}
    against = [row for row in scores if row["versus"] == "champion"]
    own = [row for row in scores if row["subject"] == "stage1" and row["versus"] == ""]
    assert [row["metric"] for row in against] == [row["metric"] for row in own]
    for one, other in zip(against, own, strict=True):
        assert (one["subject"], one["mode"], one["value"], one["n"]) == ("stage1", "plain", other["value"], other["n"])
        assert (one["difference"], one["low"], one["high"]) == (0, 0, 0), "the same adapter against itself"


def test_without_a_champion_nothing_is_compared_with_one(lab: _Lab, champion: str) -> None:
    memory = lab.run(StageKind.EVALUATE, benchmark=lab.benchmark, stage1=champion)
    assert {row["versus"] for row in memory.of("evaluation")} == {""}
