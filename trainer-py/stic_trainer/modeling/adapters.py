"""LoRA adapters on the language model's linear layers, and nowhere else; one is in use at a time, or none: the base model."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from stic_trainer.errors import StageError
from stic_trainer.modeling.adapter_names import LANGUAGE_MODEL, PEFT_PREFIX, target_pattern


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


class Adapters:
    """Loaded adapters of ``base`` by name; ``active`` is the one in use, None for the base model."""

    def __init__(self, base: Any, base_name: str) -> None:
        self._base = base
        self._base_name = base_name
        self.peft: PeftModel | None = None
        self.active: str | None = None

    def add(self, settings: LoraSettings, *, seed: int) -> None:
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
            self.peft = get_peft_model(self._base, config)
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

    def load(self, folder: Path, *, name: str = "default", trainable: bool = False) -> None:
        """An adapter from a PEFT folder, in use from now on. StageError MODEL_INVALID when it does not fit, to the last weight."""
        stored = _stored_weights(folder)
        try:
            if self.peft is None:
                self.peft = PeftModel.from_pretrained(self._base, folder, adapter_name=name, is_trainable=trainable)
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
        self._base.eval()

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
        self._base.eval()
        for name, module in self._base.named_modules():
            if isinstance(module, nn.Dropout) and ".lora_dropout." in name:
                module.train(on)

    def trainable(self) -> OrderedDict[str, nn.Parameter]:
        return OrderedDict((name, parameter) for name, parameter in self._base.named_parameters() if parameter.requires_grad)

    def attributes(self) -> dict[str, str]:
        """What is trainable, for the run's record. Nothing outside the language model can be: that is checked here."""
        parameters = self.trainable()
        _only_language_model(parameters)
        return {
            "trainable_parameters": str(sum(parameter.numel() for parameter in parameters.values())),
            "trainable_tensors": str(len(parameters)),
            "trainable_in": f"{LANGUAGE_MODEL} (LoRA)",
        }

    @torch.no_grad()
    def merge(self, dtype: torch.dtype, *, all_weights: bool) -> None:
        """Adds the adapter in use to the base model's weights, for good, and rounds these, or all weights, to ``dtype``."""
        assert self.peft is not None and self.active is not None, "no adapter to merge"
        tuner: Any = self.peft.base_model
        tuner.merge_adapter()
        for name, parameter in self._base.named_parameters():
            if all_weights or name.endswith(".base_layer.weight"):
                parameter.data = parameter.data.to(dtype).to(parameter.dtype)

    def save(self, folder: Path, *, base_digest: str = "") -> None:
        """PEFT's format, safetensors only, byte for byte the same for the same weights wherever the base model lies.

        The base is named, and its digest kept, in a file beside PEFT's own, which has no place for one.
        """
        assert self.peft is not None and self.active is not None, "no adapter to save"
        folder.mkdir(parents=True, exist_ok=True)
        weights = get_peft_model_state_dict(self.peft, adapter_name=self.active, save_embedding_layers=False)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        save_file(tensors, str(folder / "adapter_model.safetensors"), metadata={"format": "pt"})
        config = self.peft.peft_config[self.active].to_dict()
        config = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
        config |= {"inference_mode": True, "base_model_name_or_path": self._base_name}
        base = {"name": self._base_name, "digest": base_digest}
        for name, fields in (("adapter_config.json", config), ("base_model.json", base)):
            (folder / name).write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n", "utf-8")

    def _check_targets(self, leaves: Sequence[str]) -> None:
        pattern = re.compile(target_pattern(leaves))
        found = {name.rsplit(".", 1)[-1] for name, _ in self._base.named_modules() if pattern.fullmatch(name)}
        missing = [leaf for leaf in leaves if leaf not in found]
        if missing:
            raise StageError(
                "CONFIG_INVALID",
                f"the language model has no linear layers named {', '.join(missing)}",
                "dpo.lora.target_modules",
            )


def model_name(path: str) -> str:
    """A model's name from its path: that of the hub, where the folder lies in the hub's cache, else the folder's own."""
    cached = re.search(r"models--([^/]+)--([^/]+)/snapshots/[^/]+/?$", path)
    return f"{cached[1]}/{cached[2]}" if cached else Path(path).name


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
