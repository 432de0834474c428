"""What may be taken up again, and what is said when something may not."""

import json
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from stic_trainer.config.job import OptimizerConfig, Sharding
from stic_trainer.engine.checkpoints import Checkpoints
from stic_trainer.engine.engine import LocalEngine
from stic_trainer.errors import StageError

SETTINGS = OptimizerConfig(
    learning_rate=0.1,
    warmup_ratio=0.0,
    weight_decay=0.0,
    max_grad_norm=1.0,
    batch_size=2,
    epochs=1,
    max_micro_batch_tokens=64,
    checkpoint_every_steps=2,
    sharding=Sharding.NONE,
)


def _engine(shape: tuple[int, ...] = (3,), names: tuple[str, ...] = ("a", "b")) -> LocalEngine:
    return LocalEngine(OrderedDict((name, nn.Parameter(torch.ones(shape))) for name in names), SETTINGS)


def _train(engine: LocalEngine, steps: int) -> None:
    for step in range(steps):
        loss = torch.stack([(parameter * torch.rand(parameter.shape)).sum() for parameter in engine.parameters.values()]).sum()
        engine.backward(loss)
        engine.update(learning_rate=0.1, step=step)


def _checkpoints(folder: Path, **made_from: object) -> Checkpoints:
    return Checkpoints(folder, made_from={"settings": SETTINGS, "data": "abc", **made_from}, every_steps=2)


def _refusal(folder: Path, engine: LocalEngine, **made_from: object) -> str:
    with pytest.raises(StageError) as caught:
        _checkpoints(folder, **made_from).restore(engine)
    assert caught.value.code == "CHECKPOINT_MISMATCH"
    assert caught.value.subject.endswith("step-00000002")
    assert "delete the stage's work folder" in caught.value.hint
    return caught.value.message


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    engine = _engine()
    _train(engine, 2)
    _checkpoints(tmp_path).commit(engine, next_step=2, extra={"known": torch.tensor([1.5])})
    return tmp_path


def test_training_goes_on_as_if_it_had_never_stopped(saved: Path) -> None:
    torch.manual_seed(0)
    unbroken = _engine()
    _train(unbroken, 5)
    torch.manual_seed(99)
    resumed = _engine()
    step, extra = _checkpoints(saved).restore(resumed)
    assert step == 2 and extra["known"].tolist() == [1.5]
    _train(resumed, 3)
    for name, parameter in resumed.parameters.items():
        assert torch.equal(parameter, unbroken.parameters[name])


def test_without_a_checkpoint_it_begins_at_the_beginning(tmp_path: Path) -> None:
    assert _checkpoints(tmp_path / "none").restore(_engine()) == (0, {})


def test_only_the_newest_is_kept_and_a_half_written_one_is_not_seen(saved: Path) -> None:
    engine = _engine()
    step, _ = _checkpoints(saved).restore(engine)
    _train(engine, 1)
    _checkpoints(saved).commit(engine, next_step=3, extra={})
    (saved / ".tmp-00000004-1").mkdir()
    assert sorted(path.name for path in saved.iterdir()) == [".tmp-00000004-1", "step-00000003"]
    assert (step, _checkpoints(saved).restore(_engine())[0]) == (2, 3)


def test_other_settings_are_named_one_by_one(saved: Path) -> None:
    changed = OptimizerConfig(**{**vars(SETTINGS), "batch_size": 4, "epochs": 3})
    message = _refusal(saved, _engine(), settings=changed)
    assert "settings.batch_size was 2 and is 4; settings.epochs was 1 and is 3" in message


def test_other_data_and_new_parts_are_named(saved: Path) -> None:
    assert 'data was "abc" and is "xyz"' in _refusal(saved, _engine(), data="xyz")
    assert "rows was null and is 7" in _refusal(saved, _engine(), rows=7)


def test_another_adapter_is_named_by_its_keys_and_shapes(saved: Path) -> None:
    assert "the adapter lacks c, which the run's has" in _refusal(saved, _engine(names=("a", "b", "c")))
    assert "the adapter has b, which the run's lacks" in _refusal(saved, _engine(names=("a",)))
    assert "the adapter's a was (3,) and is (4,)" in _refusal(saved, _engine(shape=(4,)))


@pytest.mark.parametrize(
    ("lost", "said"), [("mean/b", "the optimizer's state of b is missing"), ("random", "the random generator's state is missing")]
)
def test_lost_state_is_named(saved: Path, lost: str, said: str) -> None:
    path = saved / "step-00000002" / "state.safetensors"
    tensors: dict[str, Tensor] = load_file(path)
    del tensors[lost]
    save_file(tensors, path)
    assert said in _refusal(saved, _engine())


def test_many_differences_are_counted(saved: Path) -> None:
    changed = OptimizerConfig(
        **{**vars(SETTINGS), "learning_rate": 1.0, "warmup_ratio": 1.0, "weight_decay": 1.0, "batch_size": 3, "epochs": 9}
    )
    assert _refusal(saved, _engine(), settings=changed).endswith("; and 1 more")


def test_a_damaged_file_is_an_error_in_words(saved: Path) -> None:
    path = saved / "step-00000002" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    assert "it cannot be read" in _refusal(saved, _engine())


def test_a_refused_checkpoint_has_changed_nothing(saved: Path) -> None:
    engine = _engine()
    _refusal(saved, engine, data="xyz")
    assert all(torch.equal(parameter, torch.ones(3)) for parameter in engine.parameters.values())


def test_a_record_of_an_earlier_version_is_refused(saved: Path) -> None:
    path = saved / "step-00000002" / "state.json"
    record = json.loads(path.read_text("utf-8"))
    del record["made_from"]
    path.write_text(json.dumps(record), "utf-8")
    assert "what it was made from was null" in _refusal(saved, _engine())
