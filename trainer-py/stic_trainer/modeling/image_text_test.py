"""The number of an image's tokens and the text around them, in every family, and in folders laid out as published ones are."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

from stic_trainer.errors import StageError
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.image_text import process_image, read_image_text
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.testing import paint, tiny_policy
from stic_trainer.modeling.testing_families import ALL_MODELS, family_policy
from stic_trainer.modeling.vision import ImageEncoder

_SEED = 8
_EXTREME = [(1, 1), (1, 60), (60, 1), (3, 500), (500, 3), (1, 200), (2_200, 11), (56, 57), (112, 56), (900, 900)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("models")


@pytest.mark.parametrize("name", list(ALL_MODELS))
def test_image_tokens_are_known_from_the_size_alone(models: Path, tmp_path: Path, name: str) -> None:
    policy = family_policy(models / name, name)
    rng = random.Random(_SEED)
    sizes = [*_EXTREME, *((int(2 ** rng.uniform(0, 9)), int(2 ** rng.uniform(0, 9))) for _ in range(20))]
    print(f"seed {_SEED}: {sizes}")
    counts = set()
    for seed, size in enumerate(sizes):
        image = paint(tmp_path, size, seed=seed)
        assert policy.vision.num_tokens(image) == policy.vision.num_tokens_of(*size) == len(policy.vision.encode(image)), size
        counts.add(policy.vision.num_tokens(image))
    assert len(counts) > 4 if policy.family.any_resolution else len(counts) == 1


@pytest.mark.parametrize("name", list(ALL_MODELS))
def test_the_text_of_an_image_of_any_size_is_the_processor_s(models: Path, name: str) -> None:
    policy = family_policy(models / name, name)
    text = read_image_text(policy.processor)
    for width, height in ((40, 40), (90, 30), (30, 200)):
        ids = process_image(policy.processor, Image.new("RGB", (width, height)))["input_ids"][0].tolist()
        tokens = policy.vision.num_tokens_of(width, height)
        assert ids == policy.processor.tokenizer(text.of(tokens))["input_ids"]


def test_a_processor_that_cannot_take_an_image_is_refused_with_its_reason(models: Path) -> None:
    """Not by the first image of a run."""
    processor = tiny_policy(models / "llava-llama").processor
    processor.patch_size = None
    with pytest.raises(StageError, match="cannot put an image of 64 x 64 px into a prompt") as caught:
        read_image_text(processor)
    assert caught.value.code == "MODEL_INVALID"


def test_an_internvl_folder_laid_out_as_published_is_the_same_model(models: Path, tmp_path: Path) -> None:
    """The published files name a torchvision image processor, keep tiles off in its settings and list the image's tokens by name."""
    ours = family_policy(tmp_path / "model", "internvl3")
    images, tokenizer = tmp_path / "model/preprocessor_config.json", tmp_path / "model/tokenizer_config.json"
    fields = json.loads(images.read_text())
    assert fields["crop_to_patches"] is False
    images.write_text(json.dumps({**fields, "image_processor_type": "GotOcr2ImageProcessorFast", "processor_class": "InternVLProcessor"}))
    fields = json.loads(tokenizer.read_text())
    names = {f"{name}_token": fields.pop(f"{name}_token") for name in ("start_image", "end_image", "context_image", "video")}
    tokenizer.write_text(json.dumps({**fields, "extra_special_tokens": names, "additional_special_tokens": list(names.values())}))
    published = load_policy(tmp_path / "model", device="cpu", dtype=torch.float64)
    assert isinstance(published.processor.image_processor, GotOcr2ImageProcessorPil)
    image = paint(tmp_path, (200, 90))
    assert torch.equal(published.vision.encode(image).features, ours.vision.encode(image).features)
    assert _prompt(published, published.vision.num_tokens(image)) == _prompt(ours, ours.vision.num_tokens(image))


@pytest.mark.parametrize(("size", "tiles"), [((448, 448), 1), ((896, 896), 4), ((1_344, 448), 3), ((640, 480), 12), ((20, 2_000), 12)])
def test_internvl_cuts_tiles_and_adds_the_whole_image(models: Path, size: tuple[int, int], tiles: int) -> None:
    """Sizes of the published models: up to 12 tiles of 448 px with 256 tokens each, and one more of the whole image beside several."""
    policy = family_policy(models / "internvl3", "internvl3")
    processor = policy.processor
    processor.image_processor = GotOcr2ImageProcessorPil(size={"height": 448, "width": 448})
    processor.image_seq_length = 256
    encoder = ImageEncoder(None, processor, policy.family)
    tiles += tiles > 1
    assert encoder.num_tokens_of(*size) == 256 * tiles
    assert process_image(processor, Image.new("RGB", size))["pixel_values"].shape == (tiles, 3, 448, 448)


def _prompt(policy: Policy, image_tokens: int) -> list[int]:
    return policy.chat.prompt([Message("user", "What is it?", image=True)], image_tokens)
