"""A model folder looked at as a whole before a run: everything that loading it checks, without reading a weight.

Besides, the vision tower is run on device meta, which computes shapes and no numbers: an image's features are counted and compared
with the tokens that the processor gives it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from stic_trainer.errors import StageError
from stic_trainer.modeling.families import Positions
from stic_trainer.modeling.image_text import process_image
from stic_trainer.modeling.library_errors import library_errors
from stic_trainer.modeling.loading import SAMPLE_SIZE, SAMPLE_TURNS, outline_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.weight_files import read_headers

_SIZES = (SAMPLE_SIZE, (480, 640), (300, 300))  # px: wide, tall, square


@dataclass(frozen=True)
class ModelReport:
    parameters: int
    """As stored: a tied head counts once."""
    dtype: str
    """Type of most of the weights, as safetensors spells it."""
    max_positions: int
    image_tokens: int
    """Of an image of 640 x 480 px."""
    conversation: str
    """The sample conversation as the template writes it, one image token for the image."""
    warnings: list[str]


def inspect_model(folder: Path) -> ModelReport:
    """StageError MODEL_INVALID or MODEL_UNSUPPORTED names what is wrong with the folder."""
    policy = outline_policy(folder)
    for size in _SIZES:
        _check_image(policy, size, folder)
    numbers: Counter[str] = Counter()
    for header in read_headers(folder).values():
        numbers[header.dtype] += header.numbers
    image_tokens = policy.vision.num_tokens_of(*SAMPLE_SIZE)
    text = policy.processor.tokenizer.decode(policy.chat.conversation(SAMPLE_TURNS, image_tokens).ids)
    return ModelReport(
        parameters=numbers.total(),
        dtype=numbers.most_common(1)[0][0],
        max_positions=policy.max_positions,
        image_tokens=image_tokens,
        conversation=_with_one_image_token(text, policy.processor.tokenizer.convert_ids_to_tokens(policy.chat.image_token_id)),
        warnings=_warnings(policy, image_tokens),
    )


def _check_image(policy: Policy, size: tuple[int, int], folder: Path) -> None:
    tokens = policy.vision.num_tokens_of(*size)
    with library_errors(
        f"the vision tower cannot take an image of {size[0]} x {size[1]} px as the image processor prepares it",
        f"{folder}/preprocessor_config.json",
        "Fetch config.json and the image processor's settings from the page of the same model.",
    ):
        features = _count_features(policy, Image.new("RGB", size))
    if features != tokens:
        raise StageError(
            "MODEL_INVALID",
            f"an image of {size[0]} x {size[1]} px has {features} features by config.json and {tokens} tokens by the processor",
            f"{folder}/processor_config.json",
            "Fetch config.json and the processor's files from the page of the same model.",
        )


@torch.no_grad()
def _count_features(policy: Policy, image: Image.Image) -> int:
    """Features that the vision tower has for ``image``, by its own forward pass where that needs no numbers."""
    inputs = process_image(policy.processor, image)
    pixels = inputs["pixel_values"]
    if policy.family.positions is Positions.GRID:
        # This tower indexes by the numbers of its grid. Its input is one row for each patch.
        vision: Any = policy.base.config.vision_config
        width = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
        if pixels.shape[1] != width:
            raise ValueError(f"patches of {pixels.shape[1]} numbers where the tower takes {width}")
        return int(pixels.shape[0]) // int(vision.spatial_merge_size) ** 2
    arguments = {name: inputs[name] for name in policy.family.image_inputs}
    arguments["pixel_values"] = pixels.to("meta", policy.dtype)
    output = policy.base.model.get_image_features(**arguments, return_dict=True)
    return sum(int(features.shape[0]) for features in output.pooler_output)


def _with_one_image_token(text: str, token: str) -> str:
    first, last = text.find(token), text.rfind(token)
    return text if first < 0 else text[: first + len(token)] + text[last + len(token) :]


def _warnings(policy: Policy, image_tokens: int) -> list[str]:
    warnings = list(policy.chat.warnings)
    if image_tokens >= policy.max_positions:
        warnings.append(f"an image of 640 x 480 px has {image_tokens} tokens, and the model takes {policy.max_positions} in all")
    if policy.dtype == torch.float16:
        warnings.append("the weights are fp16; they are computed with in bf16 on a GPU and in fp32 on a CPU")
    return warnings
