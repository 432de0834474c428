"""Every stage that trusts an adapter tries it on some of its own items first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from stic_trainer.config.job import StageKind
from stic_trainer.data.records import BenchmarkHeader, BenchmarkItem, ImageRef, InfusedRow, InstructionRow, Turn
from stic_trainer.errors import StageError
from stic_trainer.stages.testing import Laboratory, Recorder, pair_of


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


def _altered(lab: Laboratory, folder: Path, change: Callable[[str, torch.Tensor], torch.Tensor]) -> str:
    """A trained adapter with other weights; its digest."""
    source = lab.store.tree(lab.put_adapter())
    weights = load_file(source / "adapter_model.safetensors")
    save_file({name: change(name, tensor) for name, tensor in weights.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_bytes((source / "adapter_config.json").read_bytes())
    return lab.store.put_tree(folder)[0]


def _run(lab: Laboratory, kind: StageKind, role: str, adapter: str, work: Path) -> Recorder:
    """The stage with ``adapter`` under ``role``, beside the stage's own small input."""
    image = lab.put_image("1.png", seed=1)
    ref = ImageRef(name=image.name, sha256=image.sha256)
    short = {"max_new_tokens": 4}
    quick = {"modes": ["plain"], "sample_images": 0, "answer_generation": short, "describe_generation": short, "bootstrap_resamples": 100}
    header = BenchmarkHeader(benchmark="colours", scorer="world-questions", version=1)
    question = BenchmarkItem(name="0", prompt="Which?", answer="red", kind="colour", truth={}, image=image)
    turns = (Turn(sender="human", value="<image>\nWhich?"), Turn(sender="gpt", value="Red."))
    sources: dict[StageKind, Callable[[], dict[str, str]]] = {
        StageKind.PREFER: lambda: {"images": lab.put_rows([image])},
        StageKind.DPO: lambda: {"pairs": lab.put_rows([pair_of(ref, "A ball.", "A kite."), pair_of(ref, "A box.", "A hat.")])},
        StageKind.DESCRIBE: lambda: {"instructions": lab.put_rows([InstructionRow(name="0", image=image, conversations=turns)])},
        StageKind.SFT: lambda: {"infused": lab.put_rows([InfusedRow(name="0", image=ref, conversations=turns)])},
        StageKind.EVALUATE: lambda: {"benchmark": lab.put_rows([header, question])},
    }
    return lab.run(lab.job(kind, sources[kind]() | {role: adapter}, {"evaluate": quick}), work)


_TRUSTED = [
    (StageKind.PREFER, "start", "start"),
    (StageKind.DPO, "start", "start"),
    (StageKind.DESCRIBE, "adapter", "stage1"),
    (StageKind.SFT, "adapter", "stage1"),
    (StageKind.EVALUATE, "stage1", "stage1"),
    (StageKind.EVALUATE, "stage2", "stage2"),
    (StageKind.EVALUATE, "champion", "champion"),
]


@pytest.mark.parametrize(("kind", "role", "subject"), _TRUSTED)
def test_an_adapter_without_effect_ends_the_stage(lab: Laboratory, tmp_path: Path, kind: StageKind, role: str, subject: str) -> None:
    (tmp_path / "zero").mkdir()
    adapter = _altered(lab, tmp_path / "zero", lambda name, tensor: tensor * 0 if "lora_B" in name else tensor)
    with pytest.raises(StageError) as caught:
        _run(lab, kind, role, adapter, tmp_path / "work")
    assert (caught.value.code, caught.value.subject) == ("ADAPTER_INEFFECTIVE", f"{subject} {adapter[:12]}")


@pytest.mark.parametrize(("kind", "role", "subject"), _TRUSTED)
def test_the_effect_is_in_the_run_s_record(lab: Laboratory, tmp_path: Path, kind: StageKind, role: str, subject: str) -> None:
    recorder = _run(lab, kind, role, lab.put_adapter(), tmp_path / "work")
    value, unit = recorder.facts()[f"adapter_effect_{subject}"].split(" ", 1)
    assert float(value) > 0 and unit == "nats a token"


def test_a_fresh_adapter_is_not_asked_for_an_effect(lab: Laboratory, tmp_path: Path) -> None:
    image = lab.put_image("1.png", seed=1)
    ref = ImageRef(name=image.name, sha256=image.sha256)
    pairs: dict[str, Any] = {"pairs": lab.put_rows([pair_of(ref, "A ball.", "A kite.")])}
    facts = lab.run(lab.job(StageKind.DPO, pairs), tmp_path).facts()
    assert not [name for name in facts if name.startswith("adapter_effect")]
