"""The shipped model folder is a normal Hugging Face folder, small, and able to speak about a scene."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from stic_trainer.world import seeds
from stic_trainer.world.base_model_check import Respondent
from stic_trainer.world.language import describe, parse_description
from stic_trainer.world.model import MAX_FOLDER_BYTES, MODEL_FOLDER, build_model
from stic_trainer.world.prompts import read_prompts
from stic_trainer.world.questions import MULTI_KINDS, SIMPLE_KINDS, answer, ask
from stic_trainer.world.rows import Row, infused
from stic_trainer.world.scene import CELLS, IMAGE_PIXELS, render, sample_scene
from stic_trainer.world.tokenizer import build_tokenizer, world_words
from stic_trainer.world.train_base import RowEncoder


@pytest.fixture(scope="module")
def processor() -> Any:
    return AutoProcessor.from_pretrained(MODEL_FOLDER)  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _picture(index: int) -> Any:
    rng = seeds.stream(2004, "model-test", index)
    scene = sample_scene(rng)
    return scene, render(scene, rng)


def test_the_folder_is_small_and_free_of_pickles() -> None:
    files = [file for file in MODEL_FOLDER.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= MAX_FOLDER_BYTES
    assert {file.suffix for file in files} <= {".json", ".jinja", ".safetensors"}


def test_the_shipped_tokenizer_is_the_one_the_code_builds(processor: Any) -> None:
    assert processor.tokenizer.get_vocab() == build_tokenizer().get_vocab()


def test_the_model_has_at_most_two_million_parameters() -> None:
    model = AutoModelForImageTextToText.from_pretrained(MODEL_FOLDER)
    assert type(model).__name__ == "LlavaForConditionalGeneration"
    assert model.dtype == torch.float32
    assert sum(parameter.numel() for parameter in model.parameters()) < 2_000_000


def test_a_seed_names_the_untrained_weights() -> None:
    tokenizer = build_tokenizer()
    states = [build_model(tokenizer, seed=seed).state_dict() for seed in (1, 1, 2)]
    name = "model.language_model.layers.0.self_attn.q_proj.weight"
    assert torch.equal(states[0][name], states[1][name])
    assert not torch.equal(states[0][name], states[2][name])


def test_the_vocabulary_covers_the_world(processor: Any) -> None:
    prompts = read_prompts()
    texts = [prompts.step_by_step, *prompts.plain, *prompts.misleading]
    for index in range(100):
        rng = seeds.stream(2004, "vocabulary-test", index)
        scene = sample_scene(rng, min_objects=2)
        texts.append(describe(scene.background, scene.things))
        for kind in (*SIMPLE_KINDS, *MULTI_KINDS):
            question = ask(kind, scene, rng)
            if question:
                texts += [infused("", question.text), answer(question, scene.things)]
    for text in texts:
        assert processor.tokenizer.unk_token_id not in processor.tokenizer(text)["input_ids"], text
    assert processor.tokenizer.unk_token_id in processor.tokenizer("a zeppelin")["input_ids"]


def test_text_survives_encoding_and_decoding(processor: Any) -> None:
    for text in (
        "A night scene, top-left a large red kite, center a small blue ball.",
        "the kite is red and the box is blue, so no",
        "top-left",
    ):
        ids = processor.tokenizer(text)["input_ids"]
        assert processor.tokenizer.decode(ids, skip_special_tokens=True) == text


def test_a_picture_is_nine_tokens_at_the_start_of_the_user_turn(processor: Any) -> None:
    _, picture = _picture(0)
    content = [{"type": "image"}, {"type": "text", "text": "Where is the kite?"}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(images=[picture], text=[text], return_tensors="pt")
    tokens = processor.tokenizer.convert_ids_to_tokens(inputs["input_ids"][0].tolist())
    asked = ["Where", "is", "the", "kite", "?"]
    assert tokens == ["<s>", "<user>", *["<image>"] * len(CELLS), *asked, "<assistant>"]
    assert inputs["pixel_values"].shape == (1, 3, IMAGE_PIXELS, IMAGE_PIXELS)


def test_training_rows_have_exactly_the_form_of_the_chat_template(processor: Any) -> None:
    row = Row(
        "reading",
        (
            (infused("A sea scene, top a large red kite.", "What is at the top?"), "top a large red kite"),
            ("Is there a kite?", "a kite is there, so yes"),
        ),
        "own",
    )
    ids, labels = RowEncoder(processor.tokenizer).encode(row)
    chat: list[dict[str, Any]] = []
    for turn, (question, reply) in enumerate(row.turns):
        image = [{"type": "image"}] if turn == 0 else []
        chat.append({"role": "user", "content": [*image, {"type": "text", "text": question}]})
        chat.append({"role": "assistant", "content": [{"type": "text", "text": reply}]})
    _, picture = _picture(0)
    wanted = processor(images=[picture], text=[processor.apply_chat_template(chat)])["input_ids"][0]
    assert ids == wanted
    learned = [token for token, label in zip(ids, labels, strict=True) if label == token]
    assert processor.tokenizer.decode(learned) == "top a large red kite </s> a kite is there, so yes </s>"


def test_the_shipped_model_describes_a_scene() -> None:
    respondent = Respondent(MODEL_FOLDER)
    scenes, pictures = zip(*(_picture(index) for index in range(8)), strict=True)
    texts = respondent.answers(pictures, [read_prompts().step_by_step] * len(pictures))
    found = sum(len(set(parse_description(text)[1]) & set(scene.things)) for scene, text in zip(scenes, texts, strict=True))
    assert found / sum(len(scene.things) for scene in scenes) > 0.7


def test_prompts_are_all_different() -> None:
    prompts = read_prompts()
    assert len({prompts.step_by_step, *prompts.plain, *prompts.misleading}) == 17
    assert set(world_words(Path(__file__).resolve().parents[3] / "prompts" / "world.json")) >= {"scene", "kite", "Describe"}
