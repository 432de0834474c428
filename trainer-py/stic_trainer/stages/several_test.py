"""Two processes that share a job give what one gives: the same texts, and the same training up to the order of additions.

Run as a program, this module works on job folders one after the other, in as many processes as torchrun starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from stic_trainer.config.presets import load_recipe
from stic_trainer.data.records import ImageItem, InfusedRow, Turn, to_json, write_rows
from stic_trainer.modeling.loading import load_policy
from stic_trainer.runtime.jobfolder import JobFolder
from stic_trainer.runtime.store import Store, file_sha256
from stic_trainer.runtime.worker import run_job
from stic_trainer.sidecar.environment import worker_environment
from stic_trainer.stages import stage_setup
from stic_trainer.world.model import MODEL_FOLDER
from stic_trainer.world.scene import render, sample_scene
from stic_trainer.world.seeds import stream

_PAIRS, _SEED = 7, 2000
_TOLERANCE = 1e-9
"""In fp64, relative for losses and absolute for weights. Two processes add the same numbers in another order, which moves a sum by
about its length x 2**-53; AdamW divides by the gradient's size, so a step of 1e-4 moves by less than that x 1e-4."""

_OVERRIDES: dict[str, Any] = {
    "prefer": {"max_images": 0, "generation": {"temperature": 1.0, "max_new_tokens": 24}, "max_batch_tokens": 300},
    "dpo": {"lora": {"rank": 4, "dropout": 0}, "optimizer": {"batch_size": 5, "epochs": 2, "max_micro_batch_tokens": 300}},
    "sft": {"optimizer": {"batch_size": 4, "epochs": 1, "max_micro_batch_tokens": 150}},
}


@dataclass(frozen=True)
class _Jobs:
    """The same jobs, worked on by ``processes``."""

    folder: Path
    store: Store
    processes: int

    def add(self, name: str, kind: str, inputs: dict[str, str], sharding: str = "SHARDING_NONE") -> Path:
        overrides = json.loads(json.dumps(_OVERRIDES))
        overrides["dpo"]["optimizer"]["sharding"] = overrides["sft"]["optimizer"]["sharding"] = sharding
        path = self.folder / str(self.processes) / name
        path.mkdir(parents=True)
        trees = ("adapter",)
        listed: list[dict[str, Any]] = [
            {
                "role": role,
                "name": "",
                "sha256": sha256,
                "kind": "ARTIFACT_KIND_TREE" if role in trees else "ARTIFACT_KIND_BLOB",
                "metadata": {},
            }
            for role, sha256 in inputs.items()
        ]
        recipe = to_json(load_recipe("tiny", overrides))
        fields = {"job_id": name, "run_id": "run", "kind": f"STAGE_KIND_{kind.upper()}", "recipe": recipe, "inputs": listed}
        (path / "job.json").write_text(json.dumps(fields), "utf-8")
        return path

    def work(self, *paths: Path) -> None:
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", f"--nproc-per-node={self.processes}"]
        launcher = torchrun if self.processes > 1 else []
        command = [sys.executable, *launcher, "-m", __name__, str(self.store.root), *map(str, paths)]
        done = subprocess.run(command, env=worker_environment(), capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def events(self, name: str) -> list[dict[str, Any]]:
        return _events(self.folder / str(self.processes) / name)

    def artifact(self, name: str, artifact: str) -> str:
        return _artifact(self.folder / str(self.processes) / name, artifact)

    def adapter(self, name: str) -> dict[str, Tensor]:
        return load_file(self.store.tree(self.artifact(name, "adapter")) / "adapter_model.safetensors")

    def curve(self, name: str, metric: str) -> list[float]:
        return [event["metric"]["value"] for event in self.events(name) if event.get("metric", {}).get("name") == metric]


def _events(job: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (job / "events.jsonl").read_text("utf-8").splitlines()]


def _artifact(job: Path, name: str) -> str:
    found = [event["artifact"]["sha256"] for event in _events(job) if event.get("artifact", {}).get("name") == name]
    assert len(found) == 1
    return str(found[0])


def _images(folder: Path, store: Store) -> list[ImageItem]:
    items = []
    for index in range(_PAIRS):
        rng = stream(_SEED, "several", index)
        path = folder / f"{index}.png"
        render(sample_scene(rng), rng).save(path)
        sha256, size = store.put_blob_file(path)
        with Image.open(path) as image:
            width, height = image.size
        items.append(
            ImageItem(name=path.name, sha256=sha256, bytes=size, width=width, height=height, format="PNG", mode="RGB", thumbnail=sha256)
        )
    return items


def _infused(images: list[ImageItem]) -> list[InfusedRow]:
    """Rows of mixed length, every third without an image."""
    rows = []
    for index, image in enumerate(images):
        shown = image.ref if index % 3 else None
        question = "what is in the top left" + " and in the middle" * index
        turns = (Turn(sender="human", value=f"<image>\n{question}" if shown else question), Turn(sender="gpt", value="a large red circle"))
        rows.append(InfusedRow(name=str(index), image=shown, conversations=turns))
    return rows


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[_Jobs, _Jobs]:
    """One process and two, each over prefer, dpo and sft, the latter also with the base model sharded."""
    folder = tmp_path_factory.mktemp("several")
    store = Store(folder / "store")
    images = _images(folder, store)
    write_rows(folder / "images.jsonl", images)
    write_rows(folder / "infused.jsonl", _infused(images))
    manifest, _ = store.put_blob_file(folder / "images.jsonl")
    infused, _ = store.put_blob_file(folder / "infused.jsonl")
    one, two = _Jobs(folder, store, 1), _Jobs(folder, store, 2)

    one.work(
        one.add("prefer", "prefer", {"images": manifest}),
        one.add("dpo", "dpo", {"pairs": "prefer/pairs"}),
        one.add("sft", "sft", {"infused": infused, "adapter": "dpo/adapter"}),
    )
    pairs, adapter = one.artifact("prefer", "pairs"), one.artifact("dpo", "adapter")
    two.work(
        two.add("prefer", "prefer", {"images": manifest}),
        two.add("dpo", "dpo", {"pairs": pairs}),
        two.add("sft", "sft", {"infused": infused, "adapter": adapter}),
        two.add("dpo-sharded", "dpo", {"pairs": pairs}, "SHARDING_FULL"),
        two.add("sft-sharded", "sft", {"infused": infused, "adapter": adapter}, "SHARDING_FULL"),
    )
    return one, two


def _fact(jobs: _Jobs, name: str, fact: str) -> str:
    states = [event["state"].get("facts", {}) for event in jobs.events(name) if "state" in event]
    return next(str(facts[fact]) for facts in reversed(states) if fact in facts)


def test_both_processes_took_part(both: tuple[_Jobs, _Jobs]) -> None:
    assert _fact(both[0], "dpo", "processes") == "1"
    assert _fact(both[1], "dpo", "processes") == "2"


def test_a_sharded_base_model_is_held_in_halves(both: tuple[_Jobs, _Jobs]) -> None:
    whole = sum(parameter.numel() for parameter in load_policy(MODEL_FOLDER).language_model.layers.parameters())
    assert int(_fact(both[1], "dpo-sharded", "layer_weights_held")) == whole // 2


def test_texts_are_the_same(both: tuple[_Jobs, _Jobs]) -> None:
    one, two = both
    assert one.artifact("prefer", "pairs") == two.artifact("prefer", "pairs")
    assert file_sha256(one.store.blob(one.artifact("prefer", "pairs"))) == one.artifact("prefer", "pairs")


@pytest.mark.parametrize("name", ["dpo", "sft", "dpo-sharded", "sft-sharded"])
def test_training_is_the_same(both: tuple[_Jobs, _Jobs], name: str) -> None:
    one, two = both
    stage = name.removesuffix("-sharded")
    for metric in ("loss", "grad_norm"):
        curve = one.curve(stage, f"{stage}/{metric}")
        assert len(curve) == (4 if stage == "dpo" else 2)
        assert two.curve(name, f"{stage}/{metric}") == pytest.approx(curve, rel=_TOLERANCE)
    ours, theirs = two.adapter(name), one.adapter(stage)
    assert ours.keys() == theirs.keys()
    for key, weight in theirs.items():
        torch.testing.assert_close(ours[key], weight, rtol=0, atol=_TOLERANCE)


def test_only_rank_0_leaves_anything(both: tuple[_Jobs, _Jobs]) -> None:
    two = both[1]
    for name in ("prefer", "dpo", "sft"):
        numbers = [int(event["seq"]) for event in two.events(name)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert two.events(name)[-1]["state"]["state"] == "JOB_STATE_SUCCEEDED"
        assert sorted(path.name for path in (two.folder / "2" / name).iterdir()) == ["events.jsonl", "job.json", "pid"]


def _fill_in(job: Path) -> None:
    """Gives inputs that are said as ``<earlier job>/<artifact>`` their digests."""
    fields = json.loads((job / "job.json").read_text("utf-8"))
    for item in fields["inputs"]:
        earlier, slash, name = item["sha256"].partition("/")
        if slash:
            item["sha256"] = _artifact(job.parent / earlier, name)
            (job / "job.json").write_text(json.dumps(fields), "utf-8")


def _main(store: Path, folders: list[Path]) -> int:
    # fp32 sums in another order differ by an amount that depends on the processor's vector width.
    stage_setup.load_policy = partial(load_policy, dtype=torch.float64)  # type: ignore[attr-defined]
    for folder in folders:
        _fill_in(folder)
        if code := run_job(JobFolder(folder), store, threads=1):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), [Path(text) for text in sys.argv[2:]]))
