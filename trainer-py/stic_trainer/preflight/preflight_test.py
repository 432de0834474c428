"""Preflight's counts are those that stages come to, on a tiny LlavaNext with the published tile settings."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CLIPVisionConfig, LlavaNextConfig, LlavaNextForConditionalGeneration, LlavaNextProcessor, MistralConfig
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

from stic_trainer.config.job import ArtifactKind, Job, JobInput, StageKind
from stic_trainer.config.presets import load_recipe
from stic_trainer.data.records import ImageItem, InstructionRow, Turn, write_rows
from stic_trainer.modeling.testing import IMAGE_TOKEN, save_model, tiny_tokenizer
from stic_trainer.preflight.estimate import StageEstimate, estimate
from stic_trainer.preflight.lengths import Lengths
from stic_trainer.preflight.measure import measure
from stic_trainer.preflight.memory import (
    CPU,
    CPU_MAPPED,
    TrainingRow,
    attention_bytes,
    kv_bytes,
    layer_bytes,
    lora_numbers,
    maps_tensors,
)
from stic_trainer.runtime.store import Store

PUBLISHED = {(640, 480): 2340, (480, 640): 2352, (640, 427): 2144, (336, 336): 1176, (500, 500): 2928}
"""Image tokens of LLaVA-1.6 at 336 px with its five grids, newlines included."""
_PINPOINTS = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = tiny_tokenizer()
    tower = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=336, patch_size=14, projection_dim=16
    )
    text = MistralConfig(
        vocab_size=256,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32_768,
        sliding_window=None,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlavaNextConfig(
        vision_config=tower,
        text_config=text,
        image_token_index=int(tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)),  # type: ignore[arg-type]
        image_grid_pinpoints=_PINPOINTS,
    )
    side = {"height": 336, "width": 336}
    build: Any = LlavaNextProcessor
    processor = build(
        image_processor=LlavaNextImageProcessorPil(size={"shortest_edge": 336}, crop_size=side, image_grid_pinpoints=_PINPOINTS),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )
    target = tmp_path_factory.mktemp("models") / "next"
    save_model(target, LlavaNextForConditionalGeneration(config), processor, tokenizer)
    return target


def _job(folder: Path, store: Store, work: Path, **sft: int) -> Job:
    still = {"bytes": 1, "format": "PNG", "mode": "RGB", "thumbnail": ""}
    items = [ImageItem(name=f"{w}x{h}", sha256=f"{w}{h}", width=w, height=h, **still) for w, h in PUBLISHED]  # type: ignore[arg-type]
    turns = (Turn(sender="human", value="<image>\nWhat is it?"), Turn(sender="gpt", value="A cat."))
    rows = [InstructionRow(name=item.name, conversations=turns, image=item) for item in items]
    inputs = []
    for role, records in (("images", items), ("instructions", rows)):
        path = work / f"{role}.jsonl"
        write_rows(path, records)
        sha256, _ = store.put_blob_file(path)
        inputs.append(JobInput(role=role, name="", sha256=sha256, kind=ArtifactKind.BLOB, metadata={}))
    recipe = load_recipe("paper", {"model": {"path": str(folder)}, "sft": sft})
    return Job(job_id="x", run_id="x", kind=StageKind.PREFER, recipe=recipe, inputs=tuple(inputs))


def _stages(job: Job, lengths: Lengths) -> dict[StageKind, StageEstimate]:
    return {stage.kind: stage for stage in estimate(job.recipe, lengths, CPU, starts_from_adapter=False)}


def test_image_tokens_are_those_of_the_published_tiles(folder: Path, tmp_path: Path) -> None:
    lengths = measure(_job(folder, Store(tmp_path / "store"), tmp_path), Store(tmp_path / "store"))
    assert [item.image for item in lengths.images] == list(PUBLISHED.values())
    assert [row.image for row in lengths.rows] == list(PUBLISHED.values())


def test_rows_above_the_limit_are_counted_with_the_field(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    job = _job(folder, store, tmp_path, max_length=2048)
    stage = _stages(job, measure(job, store))[StageKind.SFT]
    assert (stage.sampled, stage.always_too_long, stage.possibly_too_long) == (5, 4, 5)
    assert stage.limit is not None and (stage.limit.field, stage.limit.tokens) == ("sft.max_length", 2048)
    fits = _stages(_job(folder, store, tmp_path), measure(job, store))[StageKind.SFT]
    assert (fits.always_too_long, fits.possibly_too_long, fits.limit) == (0, 0, None)


def test_the_parts_of_memory_are_the_tensors_own_sizes(folder: Path, tmp_path: Path) -> None:
    from stic_trainer.modeling.loading import load_policy
    from stic_trainer.modeling.testing import TinyLora

    store = Store(tmp_path / "store")
    model = measure(_job(folder, store, tmp_path), store).model
    policy = load_policy(folder)
    weights = {parameter.data_ptr(): parameter.nbytes for parameter in policy.base.parameters()}
    assert model.parameters * CPU.width == sum(weights.values())
    assert kv_bytes(model, 10, CPU.width) == 2 * 2 * 2 * 8 * 10 * 4
    lora = TinyLora(rank=4)
    policy.adapters.add(lora, seed=0)
    assert lora_numbers(model, lora.rank) == sum(parameter.numel() for parameter in policy.adapters.trainable().values())
    assert dataclasses.asdict(model)["max_positions"] == policy.max_positions


@pytest.mark.parametrize("dropout", [0.0, 0.05])
def test_what_a_layer_keeps_for_the_backward_pass_is_what_is_counted(folder: Path, tmp_path: Path, dropout: float) -> None:
    """Bytes of the tensors that autograd itself keeps, beside the formula's."""
    from stic_trainer.modeling.chat import Message
    from stic_trainer.modeling.loading import load_policy
    from stic_trainer.modeling.rows import branch, join_rows
    from stic_trainer.modeling.scoring import hidden_states
    from stic_trainer.modeling.testing import TinyLora, paint

    store, lora = Store(tmp_path / "store"), TinyLora(rank=4, dropout=dropout)
    policy = load_policy(folder)
    policy.adapters.add(lora, seed=0)
    policy.adapters.set_dropout(dropout > 0)
    image = paint(tmp_path, (640, 480))
    question = Message("user", "What is it?", image=True)
    tokens = policy.vision.num_tokens(image)
    sides = [policy.chat.conversation([question, Message("assistant", letter * 300)], tokens) for letter in "ab"]
    batch = join_rows([branch(sides[0], sides[1], image)], device=policy.device, by_blocks=True)
    ours = {parameter.data_ptr() for parameter in policy.base.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in ours:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = hidden_states(policy, batch)  # lives, and with it all that was kept
    model = measure(_job(folder, store, tmp_path), store).model
    length = hidden.shape[1]
    row = TrainingRow(length, 602, branch=301)
    counted = layer_bytes(model, CPU, length, lora.rank, dropout > 0) + attention_bytes(model, CPU.width, row, by_blocks=True)
    assert sum(kept.values()) / (model.layers * counted) == pytest.approx(1, abs=0.1)


def test_the_heap_is_counted_where_tensors_lie_on_it(folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    job = _job(folder, store, tmp_path)
    lengths = measure(job, store)
    for on_heap, mapped in zip(
        *(estimate(job.recipe, lengths, each, starts_from_adapter=False) for each in (CPU, CPU_MAPPED)), strict=True
    ):
        assert "heap" not in mapped.memory
        tensors = sum(mapped.memory.values()) - mapped.memory["libraries"] - mapped.memory["weights"]
        assert on_heap.memory == mapped.memory | {"heap": on_heap.memory["heap"]}
        assert on_heap.memory["heap"] >= tensors
    assert [maps_tensors({"MALLOC_MMAP_THRESHOLD_": value}) for value in ("1048576", "33554432", "")] == [True, False, False]
