"""What a sidecar says of itself, of models and of a user's data, over real gRPC."""

import contextlib
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from stic.common.v1 import common_pb2 as common
from stic.trainer.v1 import trainer_pb2 as pb
from stic_trainer.data.testing import encoded
from stic_trainer.runtime.context import resolve_model
from stic_trainer.runtime.store import Store
from stic_trainer.sidecar.server import SERVICE
from stic_trainer.sidecar.testing import Sidecar, eventually, refusal


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    sidecar = Sidecar(tmp_path_factory.mktemp("sidecar"), "--capacity", "3", "--name", "left of the door")
    yield sidecar
    sidecar.close()


def test_get_info_says_who_it_is(sidecar: Sidecar) -> None:
    info = sidecar.stub.GetInfo(pb.GetInfoRequest(), timeout=2)
    assert (info.name, info.version, info.capacity, list(info.active_job_ids)) == ("left of the door", "0.1.0", 3, [])
    assert info.store_id == (sidecar.store / "id").read_text().strip() == Store(sidecar.store).id()
    assert info.cpu_count == len(os.sched_getaffinity(0))
    assert info.memory_bytes > 1 << 28
    assert set(info.versions) >= {"python", "torch", "transformers", "peft", "pillow", "grpcio"}
    assert "missing" not in info.versions.values()
    assert eventually(lambda: sidecar.stub.GetInfo(pb.GetInfoRequest()).dtype) in ("float32", "bfloat16")


def test_health_is_served_for_the_whole_and_the_service(sidecar: Sidecar) -> None:
    stub = health_pb2_grpc.HealthStub(sidecar.channel)
    for name in ("", SERVICE):
        assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == health_pb2.HealthCheckResponse.SERVING
    assert refusal(lambda: stub.Check(health_pb2.HealthCheckRequest(service="other")))[0] == grpc.StatusCode.NOT_FOUND


# Models


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(resolve_model("embedded:world"), tmp_path / "model"))


def inspect(sidecar: Sidecar, path: Path | str) -> pb.InspectModelResponse:
    response: pb.InspectModelResponse = sidecar.stub.InspectModel(pb.InspectModelRequest(path=str(path)), timeout=180)
    return response


def test_a_model_is_known_by_its_files(sidecar: Sidecar, model: Path) -> None:
    embedded, copy = inspect(sidecar, "embedded:world"), inspect(sidecar, model)
    assert embedded.model.architecture == "LlavaForConditionalGeneration"
    assert (embedded.model.path, copy.model.path) == ("embedded:world", str(model))
    assert embedded.model.digest == copy.model.digest
    assert len(embedded.model.template_hash) == len(embedded.model.digest) == 64
    assert 1e5 < embedded.parameters < 1e8
    assert (embedded.dtype, embedded.max_positions, embedded.image_tokens, list(embedded.warnings)) == ("F32", 512, 9, [])
    assert embedded.conversation.count("<image>") == 1
    assert embedded.bytes == copy.bytes > embedded.parameters
    (model / "notes.md").write_text("beside the point")
    assert inspect(sidecar, model) == copy
    with open(model / "chat_template.jinja", "a") as file:
        file.write("\n{# changed #}")
    changed = inspect(sidecar, model).model
    assert changed.digest != copy.model.digest
    assert changed.template_hash != copy.model.template_hash


def _config(model: Path, **changes: object) -> None:
    path = model / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _cut_weights(model: Path) -> None:
    with open(model / "model.safetensors", "r+b") as file:
        file.truncate((model / "model.safetensors").stat().st_size - 1)


def _pickle_weights(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def _drop_a_tensor(model: Path) -> None:
    """Rewrites the header under another name of the same length: no byte of the weights moves."""
    path = model / "model.safetensors"
    data = path.read_bytes()
    name = b"layers.1.mlp.up_proj.weight"
    assert data.count(name) >= 1
    path.write_bytes(data.replace(name, b"layers.1.mlp.up_prog.weight"))


def _change_header(model: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    path = model / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header)
    changed = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(changed)) + changed + data[8 + length :])


def _name_a_tensor_twice(model: Path) -> None:
    """Names of an older and of a newer layout, each with numbers of its own."""
    name = "model.language_model.norm.weight"
    _change_header(model, lambda header: header.update({name: header.pop("vision_tower.post_layernorm.weight")}))


def _give_two_tensors_one_place(model: Path) -> None:
    def change(header: dict[str, dict[str, object]]) -> None:
        names = (f"language_model.model.layers.{layer}.mlp.up_proj.weight" for layer in range(2))
        first, second = (header[name] for name in names)
        second["data_offsets"] = first["data_offsets"]

    _change_header(model, change)


def _lose_a_shard(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model-2.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("break_it", "code", "words"),
    [
        (
            lambda model: _config(model, architectures=["GPT2LMHeadModel"]),
            "MODEL_UNSUPPORTED",
            "the architecture GPT2LMHeadModel is not supported",
        ),
        (
            lambda model: _config(model, architectures=["Qwen2VLForConditionalGeneration"]),
            "MODEL_UNSUPPORTED",
            "Qwen2VLForConditionalGeneration",
        ),
        (lambda model: _config(model, architectures=[]), "MODEL_INVALID", "architectures must be a list of one name; it is missing"),
        (lambda model: _config(model, architectures="Llava"), "MODEL_INVALID", 'architectures must be a list of one name; it is "Llava"'),
        (
            lambda model: _config(model, text_config={"model_type": "mamba"}),
            "MODEL_UNSUPPORTED",
            "a language model of type mamba is not supported",
        ),
        (lambda model: _config(model, text_config=[1]), "MODEL_INVALID", "config.json: text_config: text_config is not a JSON object"),
        (_drop_a_tensor, "MODEL_INVALID", "1 tensor that the model needs is missing: "),
        (lambda model: (model / "config.json").write_text("{"), "MODEL_INVALID", "config.json cannot be read"),
        (lambda model: (model / "config.json").write_text("[]"), "MODEL_INVALID", "config.json is not a JSON object"),
        (lambda model: (model / "config.json").unlink(), "MODEL_INVALID", "it has no config.json"),
        (lambda model: (model / "tokenizer.json").unlink(), "MODEL_INVALID", "it has no tokenizer"),
        (lambda model: (model / "processor_config.json").unlink(), "MODEL_INVALID", "it has no image processor"),
        (lambda model: (model / "chat_template.jinja").unlink(), "MODEL_INVALID", "chat template"),
        (lambda model: (model / "model.safetensors").unlink(), "MODEL_INVALID", "it has no weights (*.safetensors)"),
        (
            lambda model: (model / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 40)),
            "MODEL_INVALID",
            "model.safetensors is damaged",
        ),
        (_cut_weights, "MODEL_INVALID", "model.safetensors is damaged or cut short"),
        (_give_two_tensors_one_place, "MODEL_INVALID", "model.safetensors is damaged or cut short"),
        (
            _name_a_tensor_twice,
            "MODEL_INVALID",
            "language_model.model.norm.weight and model.language_model.norm.weight are two names of one tensor",
        ),
        (_pickle_weights, "MODEL_INVALID", "its weights are pickled"),
        (_lose_a_shard, "MODEL_INVALID", "1 of 2 weight files are missing, first model-1.safetensors"),
    ],
)
def test_a_folder_that_will_not_do_says_why(
    sidecar: Sidecar, model: Path, break_it: Callable[[Path], object], code: str, words: str
) -> None:
    break_it(model)
    with pytest.raises(grpc.RpcError) as caught:
        inspect(sidecar, model)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in caught.value.details()
    assert dict(caught.value.trailing_metadata())["stic-error-code"] == code


def test_a_path_that_is_no_model_folder_is_refused(sidecar: Sidecar, model: Path) -> None:
    for path, words in (
        ("", "the path is not absolute"),
        ("models/llava", "the path is not absolute"),
        (str(model / "none"), "no such folder on the trainer's machine"),
        (str(model / "config.json"), "this is a file, not a folder"),
        (str(model.parent), "it has no config.json"),
    ):
        code, details = refusal(lambda path=path: inspect(sidecar, path))  # type: ignore[misc]
        assert (code, words in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


# Data


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "bilder ü"
    folder.mkdir()
    (folder / "a.png").write_bytes(encoded(Image.new("RGB", (8, 8), "red"), "PNG"))
    (folder / "b.jpg").write_bytes(b"")
    return folder


def test_an_import_streams_progress_problems_and_at_last_the_result(sidecar: Sidecar, images: Path) -> None:
    events = sidecar.import_dataset(common.DATASET_KIND_IMAGES, images)
    progress = [event.progress for event in events if event.HasField("progress")]
    assert [(count.unit, count.done, count.total) for count in (progress[0], progress[-1])] == [("images", 0, 2), ("images", 2, 2)]
    problems = [event.problem for event in events if event.HasField("problem")]
    assert problems == [common.ImportProblem(name="b.jpg", code="EMPTY_FILE", reason="the file has no bytes")]
    result = events[-1].result
    assert (result.items, result.skipped, result.bytes) == (1, 1, (images / "a.png").stat().st_size)
    manifest = Store(sidecar.store).blob(result.manifest_sha256).read_text()
    assert json.loads(manifest)["name"] == "a.png"
    assert sidecar.import_dataset(common.DATASET_KIND_IMAGES, images)[-1].result == result


def test_instructions_find_their_images_in_the_root_given(sidecar: Sidecar, images: Path, tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "Red."}]
    source = tmp_path / "rows.json"
    source.write_text(json.dumps([{"id": 1, "image": "a.png", "conversations": turns}, {"id": 2}]))
    *_, problem, progress, last = sidecar.import_dataset(common.DATASET_KIND_INSTRUCTIONS, source, str(images))
    assert (problem.problem.name, problem.problem.code) == ("row 2", "ROW_INVALID")
    assert progress.progress.done == 2
    assert (last.result.items, last.result.skipped) == (1, 1)


def test_an_import_that_fails_as_a_whole_says_why(sidecar: Sidecar, images: Path, tmp_path: Path) -> None:
    broken = tmp_path / "rows.json"
    broken.write_text('[{"id": 1},')
    for kind, source, words in (
        (common.DATASET_KIND_IMAGES, images / "none", "no such folder"),
        (common.DATASET_KIND_INSTRUCTIONS, broken, "rows.json is not valid JSON: Expecting value, line 1 column 12"),
        (common.DATASET_KIND_BENCHMARK, images, "the benchmark folder has no benchmark.json"),
        (common.DATASET_KIND_UNSPECIFIED, images, "kind must be images, instructions, benchmark or preferences"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            sidecar.import_dataset(kind, source)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert words in caught.value.details()
        assert dict(caught.value.trailing_metadata())["stic-error-code"] == "DATA_INVALID"


def test_an_import_nobody_listens_to_any_more_is_ended(sidecar: Sidecar, images: Path) -> None:
    os.mkfifo(images / "benchmark.json")  # whoever reads it waits
    (images / "items.jsonl").touch()
    call = sidecar.stub.ImportDataset(pb.ImportDatasetRequest(kind=common.DATASET_KIND_BENCHMARK, source=str(images)))
    eventually(lambda: _importers(images))
    call.cancel()
    eventually(lambda: not _importers(images))


def _importers(source: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(source) in process.cmdline():
                found.append(process.pid)
    return found
