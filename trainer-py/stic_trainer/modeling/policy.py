"""The policy: a frozen base model with a LoRA adapter on its language model's linear layers, and nowhere else.

The reference is the same object with the adapter switched off. Image features are computed one image at a time, so they do
not depend on what else is in a batch.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import transformers
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model, get_peft_model_state_dict
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from stic_trainer.data.images import open_rgb
from stic_trainer.errors import StageError
from stic_trainer.modeling.adapter_names import LANGUAGE_MODEL, PEFT_PREFIX, target_pattern
from stic_trainer.modeling.attention import GROUPED_SDPA
from stic_trainer.modeling.blocks import attends_by_blocks
from stic_trainer.modeling.chat import Chat
from stic_trainer.modeling.families import Family, find_family
from stic_trainer.modeling.inputs import IMAGE_ATTENTION, POSITIONS, Sight, layer_masks, sliding_window

_FEATURE_CACHE_BYTES = 512 * 2**20


class LoraSettings(Protocol):
    """What is needed of recipe.proto's LoraConfig."""

    @property
    def rank(self) -> int: ...
    @property
    def alpha(self) -> float: ...
    @property
    def dropout(self) -> float: ...
    @property
    def target_modules(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Picture:
    """An image by content and by place."""

    sha256: str
    path: Path


class Policy:
    """``adapters`` are the loaded ones by name; ``active`` is the one in use, None for the base model."""

    def __init__(self, folder: Path, base: Any, processor: Any, family: Family) -> None:
        self.folder = folder
        self.base = base
        self.family = family
        self.processor = processor
        self.chat = Chat(processor, folder)
        self.device: torch.device = base.device
        self.dtype: torch.dtype = base.dtype
        self.by_blocks = attends_by_blocks(base.config.text_config.model_type)
        self.peft: PeftModel | None = None
        self.active: str | None = None
        self.reuse_features = True
        """Whether features of recent images are kept."""
        self._seen: OrderedDict[str, Sight] = OrderedDict()
        self._seen_bytes = 0
        self._image_tokens: dict[str, int] = {}

    @property
    def max_positions(self) -> int:
        """Longest sequence of the language model, tokens."""
        return int(self.base.config.text_config.max_position_embeddings)

    @property
    def sliding_window(self) -> int | None:
        """Positions that every layer sees at most; None where some layer sees all."""
        return sliding_window(self.base.config.text_config)

    @property
    def language_model(self) -> Any:
        return self.base.model.language_model

    def end_tokens(self) -> list[int]:
        """Ids that end a text."""
        ends = self.base.generation_config.eos_token_id
        ids = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        return sorted(ids | {self.processor.tokenizer.eos_token_id})

    # Images

    def image_tokens(self, picture: Picture) -> int:
        """Number of image tokens, from the image's size alone. ImageProblem for an unusable file."""
        key = picture.sha256 if self.family.any_resolution else ""
        if key not in self._image_tokens:
            width, height = _upright_size(picture.path) if self.family.any_resolution else (1, 1)
            counted = self.processor._get_num_multimodal_tokens(image_sizes=[(height, width)])
            self._image_tokens[key] = int(counted["num_image_tokens"][0])
        return self._image_tokens[key]

    def see(self, picture: Picture) -> Sight:
        """One image's projected features; recent ones are kept. ImageProblem for an unusable file."""
        sight = self._seen.get(picture.sha256)
        if sight is None:
            sight = self._encode(open_rgb(picture.path))
            if self.reuse_features:
                self._keep(picture.sha256, sight)
        else:
            self._seen.move_to_end(picture.sha256)
        return sight

    @torch.no_grad()
    def _encode(self, image: Image.Image) -> Sight:
        inputs = self.processor.image_processor(images=image, return_tensors="pt")
        arguments = {name: inputs[name].to(self.device) for name in self.family.image_inputs}
        arguments["pixel_values"] = arguments["pixel_values"].to(self.dtype)
        output = self.base.model.get_image_features(**arguments, return_dict=True)
        (features,) = output.pooler_output
        layers = tuple(layer[0] for layer in getattr(output, "deepstack_features", None) or ())
        return Sight(features, layers, self._grid(arguments))

    def _grid(self, arguments: dict[str, Tensor]) -> tuple[int, int] | None:
        if "image_grid_thw" not in arguments:
            return None
        merge = self.processor.image_processor.merge_size
        _, rows, columns = arguments["image_grid_thw"][0].tolist()
        return rows // merge, columns // merge

    def _keep(self, key: str, sight: Sight) -> None:
        self._seen[key] = sight
        self._seen_bytes += sight.nbytes
        while self._seen_bytes > _FEATURE_CACHE_BYTES and len(self._seen) > 1:
            _, oldest = self._seen.popitem(last=False)
            self._seen_bytes -= oldest.nbytes

    # The language model

    def inputs(
        self,
        input_ids: Tensor,
        positions: Tensor,
        mask: Tensor,
        sights: Sequence[Sight],
        *,
        shifts: Tensor | None = None,
        key_positions: Tensor | None = None,
    ) -> dict[str, Any]:
        """The language model's arguments for new tokens (B, Q): embeddings with images in their places, positions, masks.

        positions: (B, Q) places in the conversation. mask: (B, 1, Q, K) bool, causal and within ``sliding_window``, True = may
        attend. sights: of the images among the new tokens, in row order. shifts (B,): what images read before add to the positions
        (Sight.shift). key_positions: (B, K), where a cache holds keys already.
        """
        # An image token that the model itself has written stands for no image.
        images = (input_ids == self.chat.image_token_id) & bool(sights)
        embeds: Tensor = self.base.get_input_embeddings()(input_ids.masked_fill(images, 0))
        arguments: dict[str, Any] = {}
        if sights:
            features = torch.cat([sight.features for sight in sights]).to(embeds)
            assert int(images.sum()) == len(features), "image tokens and image features differ in number"
            embeds = embeds.masked_scatter(images[..., None], features)
            mask = IMAGE_ATTENTION[self.family.image_attention](mask, images)
            if sights[0].layers:
                layers = [torch.cat(parts) for parts in zip(*(sight.layers for sight in sights), strict=True)]
                arguments |= {"visual_pos_masks": images, "deepstack_visual_embeds": layers}
        keys = positions if key_positions is None else key_positions
        return arguments | {
            "inputs_embeds": embeds,
            "position_ids": POSITIONS[self.family.positions](positions, images, sights, shifts),
            "attention_mask": layer_masks(mask, positions, keys, self.base.config.text_config),
        }

    def head(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocabulary), at least fp32."""
        logits: Tensor = self.base.get_output_embeddings()(hidden)
        return logits if logits.dtype == torch.float64 else logits.float()

    # Adapters

    def add_adapter(self, settings: LoraSettings, *, seed: int) -> None:
        """A fresh, trainable adapter "default" whose random half comes from ``seed``. StageError CONFIG_INVALID for an unknown target."""
        self._check_targets(settings.target_modules)
        config = PeftLoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,  # type: ignore[arg-type]
            lora_dropout=settings.dropout,
            target_modules=target_pattern(settings.target_modules),
            bias="none",
            task_type="CAUSAL_LM",
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.peft = get_peft_model(self.base, config)
        self.active = "default"

    def check_shape(self, settings: LoraSettings) -> None:
        """StageError CONFIG_INVALID when the adapter in use was made with other settings than these."""
        assert self.peft is not None and self.active is not None, "no adapter to check"
        config: Any = self.peft.peft_config[self.active]
        made: dict[str, object] = {"rank": config.r, "alpha": config.lora_alpha, "dropout": config.lora_dropout}
        made["target_modules"] = config.target_modules
        wanted: dict[str, object] = {"rank": settings.rank, "alpha": settings.alpha, "dropout": settings.dropout}
        wanted["target_modules"] = target_pattern(settings.target_modules)
        for name, value in wanted.items():
            if made[name] != value:
                raise StageError(
                    "CONFIG_INVALID",
                    f"the adapter the run starts from has {name} {made[name]}, the recipe says {value}",
                    f"dpo.lora.{name}",
                    "an adapter that is trained on keeps its shape: take it over, or start from the base model",
                )
        _only_language_model(list(self.trainable()))

    def load_adapter(self, folder: Path, *, name: str = "default", trainable: bool = False) -> None:
        """An adapter from a PEFT folder, in use from now on. StageError MODEL_INVALID when it does not fit, to the last weight."""
        stored = _stored_weights(folder)
        try:
            if self.peft is None:
                self.peft = PeftModel.from_pretrained(self.base, folder, adapter_name=name, is_trainable=trainable)
            else:
                self.peft.load_adapter(str(folder), adapter_name=name, is_trainable=trainable)
        except (ValueError, RuntimeError, KeyError, OSError) as error:
            raise StageError("MODEL_INVALID", f"the adapter does not fit the model: {error}", str(folder)) from error
        wanted = set(get_peft_model_state_dict(self.peft, adapter_name=name, save_embedding_layers=False))
        _only_language_model((key.removeprefix(PEFT_PREFIX) for key in wanted), code="MODEL_INVALID")
        for what, names in (("lacks weights", wanted - stored), ("has unknown weights", stored - wanted)):
            if names:
                raise StageError(
                    "MODEL_INVALID",
                    f"the adapter {what}: {', '.join(sorted(names)[:3])}{', ...' if len(names) > 3 else ''}",
                    str(folder),
                    "it was made for another model, or by another version of the library that names layers differently",
                )
        self.peft.set_adapter(name, inference_mode=not trainable)
        self.active = name
        self.base.eval()

    @contextmanager
    def using(self, name: str | None) -> Iterator[None]:
        """The adapter ``name``, or the base model for None, within the block."""
        previous = self.active
        if self.peft is None or name == previous:
            assert name is None or self.peft is not None, "no adapter is loaded"
            yield
            return
        if name is None:
            with self.peft.disable_adapter():
                self.active = None
                try:
                    yield
                finally:
                    self.active = previous
            return
        self.peft.set_adapter(name, inference_mode=True)
        self.active = name
        try:
            yield
        finally:
            if previous is not None:
                self.peft.set_adapter(previous, inference_mode=True)
            self.active = previous

    def set_dropout(self, on: bool) -> None:
        """The adapter's dropout; everything else of the model never drops anything."""
        self.base.eval()
        for name, module in self.base.named_modules():
            if isinstance(module, nn.Dropout) and ".lora_dropout." in name:
                module.train(on)

    def recompute_activations(self) -> None:
        """From now on the backward pass computes each decoder layer again instead of keeping its activations."""
        self.base.gradient_checkpointing_enable({"use_reentrant": False})
        for layer in self.language_model.layers:
            # The library checkpoints layers in training mode only. The mode of what is inside stays: nothing begins to drop.
            layer.training = True

    def trainable(self) -> OrderedDict[str, nn.Parameter]:
        return OrderedDict((name, parameter) for name, parameter in self.base.named_parameters() if parameter.requires_grad)

    def facts(self) -> dict[str, str]:
        """What is trainable, for the run's record. Nothing outside the language model can be: that is checked here."""
        parameters = self.trainable()
        _only_language_model(parameters)
        return {
            "trainable_parameters": str(sum(parameter.numel() for parameter in parameters.values())),
            "trainable_tensors": str(len(parameters)),
            "trainable_in": f"{LANGUAGE_MODEL} (LoRA)",
        }

    def save_adapter(self, folder: Path) -> None:
        """PEFT's format, safetensors only, byte for byte the same for the same weights."""
        assert self.peft is not None and self.active is not None, "no adapter to save"
        folder.mkdir(parents=True, exist_ok=True)
        weights = get_peft_model_state_dict(self.peft, adapter_name=self.active, save_embedding_layers=False)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        save_file(tensors, str(folder / "adapter_model.safetensors"), metadata={"format": "pt"})
        config = self.peft.peft_config[self.active].to_dict()
        config = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
        config |= {"inference_mode": True, "base_model_name_or_path": str(self.folder)}
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")

    def _check_targets(self, leaves: Sequence[str]) -> None:
        pattern = re.compile(target_pattern(leaves))
        found = {name.rsplit(".", 1)[-1] for name, _ in self.base.named_modules() if pattern.fullmatch(name)}
        missing = [leaf for leaf in leaves if leaf not in found]
        if missing:
            raise StageError(
                "CONFIG_INVALID",
                f"the language model has no linear layers named {', '.join(missing)}",
                "dpo.lora.target_modules",
            )


def load_policy(folder: Path, *, device: str | None = None, dtype: torch.dtype | None = None) -> Policy:
    """The base model of a Hugging Face folder, frozen: fp32 on CPU, bf16 on CUDA. StageError MODEL_UNSUPPORTED or MODEL_INVALID."""
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise StageError("MODEL_INVALID", "the folder has no config.json", str(folder), "give a Hugging Face model folder")
    family = find_family(json.loads(config_file.read_text("utf-8")))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.bfloat16 if device.startswith("cuda") else torch.float32)
    try:
        processor = _load_processor(folder, family)
        base: Any = AutoModelForImageTextToText.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation={"text_config": GROUPED_SDPA, "vision_config": "sdpa"},
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise StageError("MODEL_INVALID", f"the model cannot be loaded: {error}", str(folder)) from error
    base = base.to(device).eval().requires_grad_(False)
    return Policy(folder, base, processor, family)


class _StillImages:
    """Lets a processor do without its video half, which needs torchvision: no video is ever shown to a model here."""

    def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
        check: Any = super().check_argument_for_proper_class  # type: ignore[misc]
        return None if argument is None else check(name, argument)


def _load_processor(folder: Path, family: Family) -> Any:
    kind = getattr(transformers, family.processor)
    # The image processors' backends differ numerically; Pillow's is always there, so it is the one.
    load_images: Any = AutoImageProcessor
    images, tokenizer = load_images.from_pretrained(folder, backend="pil", local_files_only=True), AutoTokenizer.from_pretrained(folder)
    if getattr(images, "do_pan_and_scan", None):
        raise StageError(
            "MODEL_UNSUPPORTED",
            "the image processor cuts crops out of images (pan-and-scan), so how many tokens an image has is not known beforehand",
            "model.path",
            "set do_pan_and_scan to false in the folder's image processor settings",
        )
    halves = {"image_processor": images, "tokenizer": tokenizer}
    settings, _ = kind.get_processor_dict(folder, local_files_only=True)
    still: Any = type(kind.__name__, (_StillImages, kind), {})
    processor = still.from_args_and_dict([halves.get(name) for name in kind.get_attributes()], settings)
    processor.chat_template = processor.chat_template or tokenizer.chat_template
    return processor


def _only_language_model(names: Iterable[str], *, code: str = "INTERNAL") -> None:
    strangers = [name for name in names if not (name.startswith(f"{LANGUAGE_MODEL}.") and ".lora_" in name)]
    if strangers:
        raise StageError(code, f"weights outside the language model's adapter: {', '.join(strangers[:3])}", "lora")


def _stored_weights(folder: Path) -> set[str]:
    """Names of an adapter's weights. StageError MODEL_INVALID when the folder holds no adapter in safetensors."""
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / file).is_file():
            raise StageError("MODEL_INVALID", f"the adapter's folder has no {file}", str(folder))
    try:
        with safe_open(folder / "adapter_model.safetensors", framework="pt") as weights:
            return set(weights.keys())
    except (SafetensorError, OSError) as error:
        raise StageError("MODEL_INVALID", f"the adapter's weights cannot be read: {error}", str(folder)) from error


def _upright_size(path: Path) -> tuple[int, int]:
    """(width, height) in px after EXIF rotation, from the file's header where that is sound. ImageProblem for an unusable file."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else image.size
    except Exception:  # a decoder fed with anything may raise anything; opening the image for good says what is wrong
        return open_rgb(path).size
