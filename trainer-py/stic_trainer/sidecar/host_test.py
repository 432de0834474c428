"""What a sidecar says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stic_trainer.sidecar import host


def test_labels_are_keys_with_values() -> None:
    assert host.parse_labels(["tag=a100", "room=b=2", "spare="]) == {"tag": "a100", "room": "b=2", "spare": ""}


@pytest.mark.parametrize("labels", [["tag"], ["=a100"], ["a tag=1"], ["tag=a", "tag=b"]])
def test_a_label_that_is_none_is_named(labels: list[str]) -> None:
    with pytest.raises(ValueError, match="--label"):
        host.parse_labels(labels)


def test_a_probe_of_this_torch_is_remembered_with_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "versions", lambda: {"torch": "2.13.0+cu130"})
    monkeypatch.setattr("sys.platform", "elsewhere")
    cache = tmp_path / "device.json"
    cache.write_text(json.dumps({"device": "cuda:0 X", "dtype": "bfloat16", "memory_bytes": 80 * 2**30, "torch": "2.13.0+cu130"}))
    assert host.cached_device(cache) == host.Accelerator("cuda:0 X", "bfloat16", 80 * 2**30)
    cache.write_text(json.dumps({"device": "cuda:0 X", "dtype": "bfloat16", "torch": "2.13.0+cu130"}))
    assert host.cached_device(cache) is None, "a probe that did not ask for memory is repeated"
