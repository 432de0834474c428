"""For tests: folders laid out as the models' pages have them, with tiny random weights and the published processor settings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    SiglipVisionConfig,
)

from stic_trainer.modeling.testing import CHAT_TEMPLATE, IMAGE_TOKEN, SPECIAL_TOKENS, save_model, text_sizes, tiny_tokenizer
from stic_trainer.modeling.testing_families import save_family_model

_PINPOINTS = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]  # px
_IMAGE_TOKEN_ID = SPECIAL_TOKENS.index(IMAGE_TOKEN)
_CLIP = {
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 336},
    "crop_size": {"height": 336, "width": 336},
}


def llava_1_5(folder: Path) -> Path:
    """llava-hf/llava-1.5-7b-hf: shards, chat_template.json, both processor files, an embedding larger than the tokenizer."""
    tokenizer = tiny_tokenizer()
    text = LlamaConfig(**text_sizes(tokenizer) | {"vocab_size": len(tokenizer) + 62})
    config = LlavaConfig(vision_config=_clip(), text_config=text, image_token_index=_IMAGE_TOKEN_ID, image_seq_length=576)
    _save(folder, LlavaForConditionalGeneration, config, tokenizer, shards=3)
    write_json(
        folder / "preprocessor_config.json", _CLIP | {"image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor"}
    )
    write_json(folder / "processor_config.json", _processor("LlavaProcessor"))
    write_json(folder / "chat_template.json", {"chat_template": CHAT_TEMPLATE})
    return folder


def llava_1_6_mistral(folder: Path) -> Path:
    """llava-hf/llava-v1.6-mistral-7b-hf: tiles of 336 px by the published pinpoints, template in chat_template.json."""
    tokenizer = tiny_tokenizer()
    text = MistralConfig(**text_sizes(tokenizer) | {"max_position_embeddings": 32768}, sliding_window=None)
    config = LlavaNextConfig(
        vision_config=_clip(), text_config=text, image_token_index=_IMAGE_TOKEN_ID, image_grid_pinpoints=_PINPOINTS, image_seq_length=576
    )
    _save(folder, LlavaNextForConditionalGeneration, config, tokenizer)
    tiles = {"aspect_ratio_setting": "anyres", "image_grid_pinpoints": _PINPOINTS, "do_pad": True}
    kinds = {"image_processor_type": "LlavaNextImageProcessor", "processor_class": "LlavaNextProcessor"}
    write_json(folder / "preprocessor_config.json", _CLIP | tiles | kinds)
    write_json(folder / "processor_config.json", _processor("LlavaNextProcessor"))
    write_json(folder / "chat_template.json", {"chat_template": CHAT_TEMPLATE})
    return folder


def llava_siglip(folder: Path) -> Path:
    """llava-hf/llava-interleave-qwen-0.5b-hf: a SigLIP tower without a class token, all features taken, Qwen2, template as jinja."""
    tokenizer = tiny_tokenizer()
    make_tower: Any = SiglipVisionConfig
    vision = make_tower(**_tower(), image_size=384, patch_size=14, vision_use_head=False)
    config = LlavaConfig(
        vision_config=vision,
        text_config=Qwen2Config(**text_sizes(tokenizer)),
        image_token_index=_IMAGE_TOKEN_ID,
        image_seq_length=729,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    _save(folder, LlavaForConditionalGeneration, config, tokenizer)
    side = {"height": 384, "width": 384}
    images = {"do_resize": True, "do_rescale": True, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3}
    write_json(folder / "preprocessor_config.json", images | {"image_processor_type": "SiglipImageProcessor", "size": side})
    settings = {"num_additional_image_tokens": 0, "vision_feature_select_strategy": "full"}
    write_json(folder / "processor_config.json", _processor("LlavaProcessor") | settings)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    return folder


def qwen2_5_vl(folder: Path) -> Path:
    """Qwen/Qwen2.5-VL-3B-Instruct: a configuration without text part, names visual.* and model.*, a tied head that is not stored."""
    save_family_model(folder, "qwen2.5-vl")
    config = read_json(folder / "config.json")
    text = config.pop("text_config")
    text.pop("model_type")
    config = text | config | {"tie_word_embeddings": True, "vision_config": config["vision_config"] | {"model_type": "qwen2_5_vl"}}
    write_json(folder / "config.json", config)
    rewrite_weights(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != "lm_head.weight"})
    assert {name.split(".")[0] for name in load_file(folder / "model.safetensors")} == {"visual", "model"}
    settings = read_json(folder / "tokenizer_config.json")
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").unlink()
    write_json(folder / "tokenizer_config.json", settings | {"chat_template": template})
    return folder


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "llava-1.5": llava_1_5,
    "llava-1.6-mistral": llava_1_6_mistral,
    "llava-siglip": llava_siglip,
    "qwen2.5-vl": qwen2_5_vl,
}


def read_json(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text())
    return fields


def write_json(path: Path, fields: object) -> None:
    path.write_text(json.dumps(fields))


def set_fields(path: Path, **changes: object) -> None:
    """Sets fields of a JSON file by name; a name with two underscores is one of a part: vision_config__image_size."""
    fields = read_json(path)
    for name, value in changes.items():
        *parents, leaf = name.split("__")
        place = fields
        for parent in parents:
            place = place[parent]
        place[leaf] = value
    write_json(path, fields)


def drop_fields(path: Path, *names: str) -> None:
    write_json(path, {name: value for name, value in read_json(path).items() if name not in names})


def rewrite_weights(folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], *, shards: int = 1) -> None:
    """All tensors of the folder, changed, in one file or in ``shards`` with an index."""
    tensors: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
        file.unlink()
    (folder / "model.safetensors.index.json").unlink(missing_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in change(tensors).items()}
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return
    places = {name: f"model-{1 + index % shards:05}-of-{shards:05}.safetensors" for index, name in enumerate(sorted(tensors))}
    for shard in set(places.values()):
        save_file({name: tensor for name, tensor in tensors.items() if places[name] == shard}, folder / shard, {"format": "pt"})
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": places})


def _save(folder: Path, kind: Any, config: Any, tokenizer: PreTrainedTokenizerFast, **options: Any) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config)
    tokenizer.chat_template = None
    save_model(folder, model, tokenizer, tokenizer)
    rewrite_weights(folder, _published_names, **options)


def _published_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The library saves a tower under shorter names than those that the models were published with."""
    tower = re.compile(r"^vision_tower\.(?!vision_model\.)")
    return {tower.sub("vision_tower.vision_model.", name): tensor for name, tensor in tensors.items()}


def _tower() -> dict[str, Any]:
    return {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}


def _clip() -> CLIPVisionConfig:
    return CLIPVisionConfig(**_tower(), image_size=336, patch_size=14, projection_dim=32)


def _processor(kind: str) -> dict[str, Any]:
    return {
        "image_token": IMAGE_TOKEN,
        "num_additional_image_tokens": 1,
        "patch_size": 14,
        "processor_class": kind,
        "vision_feature_select_strategy": "default",
    }
