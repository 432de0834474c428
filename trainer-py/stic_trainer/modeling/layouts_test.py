"""Folders as the models' pages have them: each loads with the library's numbers, or is refused at inspection by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText

from stic_trainer.errors import StageError
from stic_trainer.modeling.chat import Message
from stic_trainer.modeling.inspection import inspect_model
from stic_trainer.modeling.loading import load_policy
from stic_trainer.modeling.policy import Policy
from stic_trainer.modeling.rows import join_rows, plain_row
from stic_trainer.modeling.scoring import score
from stic_trainer.modeling.testing import CHAT_TEMPLATE, paint
from stic_trainer.modeling.testing_families import ALL_MODELS, family_policy
from stic_trainer.modeling.testing_layouts import LAYOUTS, drop_fields, read_json, rewrite_weights, set_fields, write_json
from stic_trainer.modeling.vision import ImageFile

Change = Callable[[Path], object]

IMAGE_TOKENS = {"llava-1.5": 576, "llava-1.6-mistral": 2340, "llava-siglip": 729, "qwen2.5-vl": 12}
"""Of a picture of 640 x 480 px."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    return {name: make(tmp_path_factory.mktemp("layouts") / name) for name, make in LAYOUTS.items()}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFile:
    return paint(tmp_path_factory.mktemp("pictures"), (640, 480))


@pytest.fixture(scope="module")
def library_logps(folders: dict[str, Path], image: ImageFile) -> dict[str, Tensor]:
    """What plain transformers scores the answer with, on the whole folders."""
    return {name: _library_logp(folder, image) for name, folder in folders.items()}


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_a_published_layout_loads_with_the_library_s_numbers(
    folders: dict[str, Path], image: ImageFile, library_logps: dict[str, Tensor], name: str
) -> None:
    assert inspect_model(folders[name]).image_tokens == IMAGE_TOKENS[name]
    assert (_logp(load_policy(folders[name], device="cpu", dtype=torch.float64), image) - library_logps[name]).abs() < 1e-8


def _no_processor(folder: Path) -> None:
    (folder / "processor_config.json").unlink()


def _null_fields(folder: Path) -> None:
    set_fields(folder / "processor_config.json", patch_size=None, vision_feature_select_strategy=None, num_additional_image_tokens=None)


def _no_image_tokens(folder: Path) -> None:
    drop_fields(folder / "processor_config.json", "num_additional_image_tokens", "image_token")


def _no_sizes(folder: Path) -> None:
    drop_fields(folder / "preprocessor_config.json", "size", "crop_size", "image_grid_pinpoints")


def _template_as_jinja(folder: Path) -> None:
    (folder / "chat_template.json").unlink()
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)


def _template_in_tokenizer(folder: Path) -> None:
    (folder / "chat_template.json").unlink()
    set_fields(folder / "tokenizer_config.json", chat_template=CHAT_TEMPLATE)


def _without(*endings: str) -> Change:
    return lambda folder: rewrite_weights(
        folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.endswith(endings)}
    )


def _with(name: str, *shape: int, dtype: torch.dtype = torch.float32) -> Change:
    return lambda folder: rewrite_weights(folder, lambda tensors: tensors | {name: torch.ones(shape, dtype=dtype)})


def _no_image_token_index(folder: Path) -> None:
    drop_fields(folder / "config.json", "image_token_index")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("llava-1.5", _no_processor),
        ("llava-1.5", _null_fields),
        ("llava-1.5", _no_image_tokens),
        ("llava-1.5", _no_sizes),
        ("llava-1.5", _template_as_jinja),
        ("llava-1.5", _template_in_tokenizer),
        ("llava-1.5", _no_image_token_index),
        ("llava-1.5", _with("language_model.model.layers.0.self_attn.rotary_emb.inv_freq", 4)),
        ("llava-1.5", _with("vision_tower.vision_model.embeddings.position_ids", 1, 577)),
        ("llava-1.6-mistral", _no_processor),
        ("llava-1.6-mistral", _no_sizes),
        ("llava-siglip", _no_processor),
        ("llava-siglip", _no_sizes),
        ("llava-siglip", _with("vision_tower.vision_model.head.probe", 1, 1, 32)),
    ],
)
def test_what_a_folder_lacks_comes_from_config_json(
    folders: dict[str, Path], image: ImageFile, library_logps: dict[str, Tensor], tmp_path: Path, name: str, change: Change
) -> None:
    folder = _changed(folders[name], tmp_path, change)
    assert inspect_model(folder).image_tokens == IMAGE_TOKENS[name]
    assert (_logp(load_policy(folder, device="cpu", dtype=torch.float64), image) - library_logps[name]).abs() < 1e-8


@pytest.mark.parametrize("name", list(ALL_MODELS))
def test_every_family_can_be_inspected(tmp_path: Path, name: str) -> None:
    policy = family_policy(tmp_path, name)
    report = inspect_model(tmp_path)
    assert report.image_tokens == policy.vision.num_tokens_of(640, 480)
    # A tied head is stored once.
    assert report.parameters == sum(parameter.numel() for parameter in policy.base.parameters())
    assert report.conversation.endswith("It has whiskers.</s>")


def _config(**changes: object) -> Change:
    return lambda folder: set_fields(folder / "config.json", **changes)


def _processor(**changes: object) -> Change:
    return lambda folder: set_fields(folder / "processor_config.json", **changes)


def _images(**changes: object) -> Change:
    return lambda folder: set_fields(folder / "preprocessor_config.json", **changes)


def _template(text: str) -> Change:
    return lambda folder: write_json(folder / "chat_template.json", {"chat_template": text})


def _renamed(folder: Path) -> None:
    rewrite_weights(folder, lambda tensors: {f"foo.{name}": tensor for name, tensor in tensors.items()})


def _bent(folder: Path) -> None:
    name = "language_model.model.norm.weight"
    rewrite_weights(folder, lambda tensors: tensors | {name: torch.ones(31)})


def _no_tower(folder: Path) -> None:
    rewrite_weights(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.startswith("vision_tower.")})


def _larger_tokenizer(folder: Path) -> None:
    fields = read_json(folder / "tokenizer.json")
    added = {**fields["added_tokens"][-1], "id": 4000, "content": "<more>", "special": False}
    fields["added_tokens"].append(added)
    fields["model"]["vocab"]["<more>"] = 4000
    write_json(folder / "tokenizer.json", fields)


_Q = "language_model.model.layers.1.self_attn.q_proj"
_BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True}

REFUSED: list[tuple[str, str, Change, str, str, str]] = [
    # layout, what is wrong, change, code, words of the message, end of the subject
    (
        "llava-1.5",
        "a tensor missing",
        _without("layers.1.mlp.up_proj.weight"),
        "MODEL_INVALID",
        "1 tensor that the model needs is missing: model.language_model.layers.1.mlp.up_proj.weight",
        "model.safetensors",
    ),
    (
        "llava-1.6-mistral",
        "image_newline missing",
        _without("image_newline"),
        "MODEL_INVALID",
        "missing: model.image_newline",
        "model.safetensors",
    ),
    ("llava-1.5", "the head missing", _without("lm_head.weight"), "MODEL_INVALID", "missing: lm_head.weight", "model.safetensors"),
    (
        "llava-1.5",
        "no vision tower",
        _no_tower,
        "MODEL_INVALID",
        "tensors that the model needs are missing: model.vision_tower",
        "model.safetensors",
    ),
    ("llava-1.5", "all names prefixed", _renamed, "MODEL_INVALID", "tensors belong to no part of the model: foo.", "model.safetensors"),
    (
        "llava-1.5",
        "one too many",
        _with("language_model.model.layers.2.mlp.up_proj.weight", 48, 32),
        "MODEL_INVALID",
        "1 tensor belongs to no part of the model: model.language_model.layers.2.mlp.up_proj.weight",
        "model.safetensors",
    ),
    (
        "llava-1.5",
        "a wrong shape",
        _bent,
        "MODEL_INVALID",
        "1 tensor has the wrong shape: model.language_model.norm.weight (31), which config.json makes (32)",
        "model.safetensors",
    ),
    (
        "llava-1.5",
        "a smaller vocabulary",
        _config(text_config__vocab_size=60),
        "MODEL_INVALID",
        "2 tensors have the wrong shape: lm_head.weight",
        "index.json",
    ),
    (
        "qwen2.5-vl",
        "a tensor missing",
        _without("visual.merger.mlp.0.weight"),
        "MODEL_INVALID",
        "missing: model.visual.merger.mlp.0.weight",
        "model.safetensors",
    ),
    (
        "llava-1.5",
        "a larger tokenizer",
        _larger_tokenizer,
        "MODEL_INVALID",
        "the tokenizer has 4001 tokens, the model's embedding",
        "tokenizer.json",
    ),
    (
        "llava-1.5",
        "another image token",
        _config(image_token_index=9),
        "MODEL_INVALID",
        "image_token_index is 9; the processor's image token '<image>' is 4",
        "config.json: image_token_index",
    ),
    (
        "llava-1.5",
        "an image token out of range",
        _config(image_token_index=9999),
        "MODEL_INVALID",
        "image_token_index is 9999",
        "config.json: image_token_index",
    ),
    (
        "llava-1.5",
        "bitsandbytes",
        _config(quantization_config=_BNB),
        "MODEL_UNSUPPORTED",
        "quantised (bitsandbytes, 4 bit)",
        "quantization_config",
    ),
    (
        "llava-1.5",
        "AWQ",
        _config(quantization_config={"quant_method": "awq"}),
        "MODEL_UNSUPPORTED",
        "quantised (awq)",
        "quantization_config",
    ),
    (
        "llava-1.5",
        "fp8 in the text part",
        _config(text_config__quantization_config={"quant_method": "fp8"}),
        "MODEL_UNSUPPORTED",
        "(fp8)",
        "text_config.quantization_config",
    ),
    (
        "llava-1.5",
        "GPTQ's tensors",
        _with(f"{_Q}.qweight", 4, 32),
        "MODEL_UNSUPPORTED",
        "quantised (it has the tensor",
        "model.safetensors",
    ),
    (
        "llava-1.5",
        "integers for weights",
        _with(f"{_Q}.weight", 32, 32, dtype=torch.int8),
        "MODEL_UNSUPPORTED",
        f"{_Q}.weight is of type I8",
        "model.safetensors",
    ),
    (
        "llava-1.5",
        "architectures as a string",
        _config(architectures="LlavaForConditionalGeneration"),
        "MODEL_INVALID",
        "must be a list of one name",
        "config.json: architectures",
    ),
    (
        "llava-1.5",
        "no architectures",
        lambda folder: drop_fields(folder / "config.json", "architectures"),
        "MODEL_INVALID",
        "it is missing",
        "config.json: architectures",
    ),
    (
        "llava-1.5",
        "another tower",
        _config(vision_config__model_type="dinov2"),
        "MODEL_UNSUPPORTED",
        "a vision tower of type dinov2",
        "vision_config.model_type",
    ),
    (
        "llava-1.5",
        "another model type",
        _config(model_type="llava_next"),
        "MODEL_INVALID",
        "model_type llava_next is not that of LlavaForConditionalGeneration",
        "config.json: model_type",
    ),
    (
        "llava-1.5",
        "remote code",
        _config(architectures=["MyVLM"], auto_map={"AutoModel": "x.Y"}),
        "MODEL_UNSUPPORTED",
        "needs Python code from its folder",
        "config.json: auto_map",
    ),
    (
        "llava-1.5",
        "another processor",
        _processor(processor_class="LlavaNextProcessor"),
        "MODEL_INVALID",
        "LlavaForConditionalGeneration takes LlavaProcessor",
        "processor_class",
    ),
    (
        "llava-1.6-mistral",
        "an image processor without tiles",
        _images(image_processor_type="CLIPImageProcessor"),
        "MODEL_INVALID",
        "image_",
        "preprocessor_config.json: ",
    ),
    (
        "llava-1.5",
        "patch_size",
        _processor(patch_size=16),
        "MODEL_INVALID",
        "patch_size is 16; by config.json it must be 14",
        "processor_config.json: patch_size",
    ),
    (
        "llava-1.5",
        "strategy",
        _processor(vision_feature_select_strategy="full"),
        "MODEL_INVALID",
        'it must be "default"',
        "vision_feature_select_strategy",
    ),
    (
        "llava-1.5",
        "additional tokens",
        _processor(num_additional_image_tokens=0),
        "MODEL_INVALID",
        "it must be 1",
        "num_additional_image_tokens",
    ),
    (
        "llava-siglip",
        "additional tokens",
        _processor(num_additional_image_tokens=1),
        "MODEL_INVALID",
        "it must be 0",
        "num_additional_image_tokens",
    ),
    (
        "llava-1.6-mistral",
        "pinpoints",
        _images(image_grid_pinpoints=[[336, 672]]),
        "MODEL_INVALID",
        "image_grid_pinpoints is [[336, 672]]",
        "preprocessor_config.json: image_grid_pinpoints",
    ),
    ("qwen2.5-vl", "merge size", _images(merge_size=1), "MODEL_INVALID", "merge_size is 1; by config.json it must be 2", "merge_size"),
    (
        "llava-1.5",
        "image size",
        _images(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}),
        "MODEL_INVALID",
        "Input image size (224*224) doesn't match model (336*336)",
        "preprocessor_config.json",
    ),
    (
        "llava-1.5",
        "images that are not cropped",
        _images(do_center_crop=False),
        "MODEL_INVALID",
        "an image of 640 x 480 px",
        "preprocessor_config.json",
    ),
    (
        "llava-1.5",
        "a template's syntax",
        _template("{% for m in messages %}{{ m['role'] }"),
        "MODEL_INVALID",
        "the chat template fails in line 1",
        "chat_template",
    ),
    (
        "llava-1.5",
        "a template for strings",
        _template("{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}"),
        "MODEL_INVALID",
        "the generation prompt ends with",
        "chat_template",
    ),
    (
        "llava-1.5",
        "a template without images",
        _template("{% for m in messages %}{{ m['role'] }}: x{% endfor %}"),
        "MODEL_INVALID",
        "",
        "chat_template",
    ),
    (
        "llava-1.5",
        "a broken tokenizer",
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        "MODEL_INVALID",
        "the tokenizer cannot be loaded",
        "tokenizer.json",
    ),
    (
        "llava-1.5",
        "a broken processor file",
        lambda folder: (folder / "processor_config.json").write_text("{"),
        "MODEL_INVALID",
        "processor_config.json",
        "processor_config.json",
    ),
]


@pytest.mark.parametrize(("name", "fault", "change", "code", "words", "subject"), REFUSED, ids=[f"{row[0]}: {row[1]}" for row in REFUSED])
def test_a_folder_that_is_not_right_is_refused_by_name_at_inspection_and_at_load(
    folders: dict[str, Path], tmp_path: Path, name: str, fault: str, change: Change, code: str, words: str, subject: str
) -> None:
    folder = _changed(folders[name], tmp_path, change)
    for look in (inspect_model, lambda folder: load_policy(folder, device="cpu")):
        if look is not inspect_model and ("image size" in fault or "not cropped" in fault or "integers" in fault):
            continue  # only shapes of images, or types before their conversion, show these
        with pytest.raises(StageError) as refused:
            look(folder)
        error = refused.value
        assert (error.code, words in error.message) == (code, True), error
        assert error.subject.rstrip().endswith(subject) or subject in error.subject, error.subject
        assert error.hint
        assert "above" not in error.message


ORIGINALS: list[tuple[dict[str, Any], str]] = [
    ({"architectures": ["LlavaMistralForCausalLM"], "model_type": "llava_mistral"}, "llava-hf/llava-v1.6-mistral-7b-hf"),
    ({"architectures": ["LlavaLlamaForCausalLM"], "hidden_size": 4096}, "llava-hf/llava-1.5-7b-hf"),
    ({"architectures": ["LlavaLlamaForCausalLM"], "hidden_size": 5120}, "llava-hf/llava-1.5-13b-hf"),
    (
        {
            "architectures": ["LlavaLlamaForCausalLM"],
            "hidden_size": 4096,
            "mm_patch_merge_type": "spatial_unpad",
            "image_grid_pinpoints": [[336, 672]],
        },
        "llava-hf/llava-v1.6-vicuna-7b-hf",
    ),
]


@pytest.mark.parametrize(("config", "use"), ORIGINALS)
def test_an_original_repository_is_refused_with_the_folder_to_use(tmp_path: Path, config: dict[str, Any], use: str) -> None:
    write_json(tmp_path / "config.json", config)
    with pytest.raises(StageError) as refused:
        load_policy(tmp_path)
    assert refused.value.code == "MODEL_UNSUPPORTED"
    assert f"Use {use}:" in refused.value.hint


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_named_at_load(folders: dict[str, Path], tmp_path: Path, number: float) -> None:
    def spoil(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        tensors["vision_tower.vision_model.encoder.layers.1.mlp.fc1.weight"][3, 5] = number
        return tensors

    folder = _changed(folders["llava-1.5"], tmp_path, lambda folder: rewrite_weights(folder, spoil))
    with pytest.raises(StageError, match=r"1 tensor has numbers that are NaN or infinite: .*layers\.1\.mlp\.fc1\.weight") as refused:
        load_policy(folder, device="cpu")
    assert (refused.value.code, Path(refused.value.subject).name) == ("MODEL_INVALID", "model.safetensors")


def _changed(folder: Path, place: Path, change: Change) -> Path:
    copy = Path(shutil.copytree(folder, place / folder.name))
    change(copy)
    return copy


def _logp(policy: Policy, image: ImageFile) -> Tensor:
    messages = [Message("user", "What is in it?", image=True), Message("assistant", "A red box.")]
    row = plain_row(policy.chat.conversation(messages, policy.vision.num_tokens(image)), image)
    with torch.no_grad():
        return score(policy, join_rows([row], device=policy.device, sliding_window=policy.sliding_window))


@torch.no_grad()
def _library_logp(folder: Path, image: ImageFile) -> Tensor:
    """Plain transformers on the same token ids and pixels; families_test proves the ids against the library's processor."""
    policy = load_policy(folder, device="cpu", dtype=torch.float64)
    load: Any = AutoModelForImageTextToText
    model = load.from_pretrained(folder, dtype=torch.float64, attn_implementation="sdpa")
    messages = [Message("user", "What is in it?", image=True), Message("assistant", "A red box.")]
    tokens = policy.chat.conversation(messages, policy.vision.num_tokens(image))
    inputs = policy.processor.image_processor(images=Image.open(image.path), return_tensors="pt")
    arguments = {name: inputs[name] for name in policy.family.image_inputs}
    arguments["pixel_values"] = arguments["pixel_values"].double()
    ids = torch.tensor([tokens.ids])
    extra = {"mm_token_type_ids": (ids == policy.chat.image_token_id).long()} if "image_grid_thw" in arguments else {}
    logps = model(input_ids=ids, attention_mask=torch.ones_like(ids), **arguments, **extra).logits[0].log_softmax(dim=-1)
    total: Tensor = logps.new_zeros(1)
    for index, (token, learned) in enumerate(zip(tokens.ids, tokens.learned, strict=True)):
        if learned:
            total += logps[index - 1, token]
    return total
