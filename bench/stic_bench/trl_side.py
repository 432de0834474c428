"""TRL's trainers on the same rows: unmodified, in the order and with the learning rates of our plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor, TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from stic_trainer.modeling.adapter_names import target_pattern


class _Pausing(TrainerCallback):
    def __init__(self, pause: Callable[[], None]) -> None:
        self._pause = pause

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._pause()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._pause()


def load(model: Path) -> tuple[Any, Any]:
    processor = AutoProcessor.from_pretrained(model, backend="pil")
    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu else torch.float32
    base = AutoModelForImageTextToText.from_pretrained(model, dtype=dtype, attn_implementation="sdpa").to("cuda" if gpu else "cpu")
    return base, processor


def dpo(
    model: Path,
    rows: list[dict[str, Any]],
    lora: Any,
    start: Path,
    *,
    beta: float,
    batch: int,
    rates: list[float],
    pause: Callable[[], None] = lambda: None,
) -> list[float]:
    """Trains on ``rows`` in order; the loss of every step. ``start`` is the adapter folder that both begin with."""
    base, processor = load(model)
    peft_config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=0.0, target_modules=target_pattern(lora.target_modules), task_type="CAUSAL_LM"
    )
    losses: list[float] = []

    class Trainer(DPOTrainer):
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            loss = super().compute_loss(*args, **kwargs)
            losses.append(float(loss.detach() if torch.is_tensor(loss) else loss[0].detach()))
            return loss

    trainer = Trainer(
        model=base,
        args=DPOConfig(beta=beta, max_length=None, **_arguments(batch, rates)),
        train_dataset=_dataset(rows),
        processing_class=processor,
        peft_config=peft_config,
        callbacks=[_Pausing(pause)],
    )
    set_peft_model_state_dict(trainer.model, load_file(start / "adapter_model.safetensors"))
    trainer.optimizer, trainer.lr_scheduler = _optimizer(trainer.model, rates)
    trainer.train()
    return losses


def sft(
    model: Path, rows: list[dict[str, Any]], start: Path, *, batch: int, rates: list[float], pause: Callable[[], None] = lambda: None
) -> list[float]:
    """Trains the adapter of ``start`` on ``rows`` in order; the loss of every step, a mean over the step's answer tokens."""
    base, processor = load(model)
    losses: list[float] = []

    class Trainer(SFTTrainer):
        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            loss = super().compute_loss(*args, **kwargs)
            losses.append(float(loss.detach() if torch.is_tensor(loss) else loss[0].detach()))
            return loss

    trainer = Trainer(
        model=PeftModel.from_pretrained(base, start, is_trainable=True),
        args=SFTConfig(max_length=None, **_arguments(batch, rates)),
        train_dataset=_dataset(rows),
        processing_class=processor,
        callbacks=[_Pausing(pause)],
    )
    trainer.optimizer, trainer.lr_scheduler = _optimizer(trainer.model, rates)
    trainer.train()
    return losses


def _arguments(batch: int, rates: list[float]) -> dict[str, Any]:
    return {
        "output_dir": "unused",
        "per_device_train_batch_size": batch,
        "max_steps": len(rates),
        "max_grad_norm": 1.0,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": not torch.cuda.is_available(),
        "train_sampling_strategy": "sequential",
        "logging_steps": 1_000_000,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }


def _optimizer(model: Any, rates: list[float]) -> tuple[torch.optim.Optimizer, Any]:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1.0, weight_decay=0.0)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, len(rates) - 1)])


def _dataset(rows: list[dict[str, Any]]) -> Dataset:
    """Images stay paths until they are used, as with any dataset of files."""
    from datasets import Image, List

    data = Dataset.from_list(rows)
    return data.cast_column("images", List(Image()))
