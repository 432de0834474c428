"""The DPO step at LLaVA-1.6-7B's shapes, random weights, bf16: only where there is a GPU with room for two of them (80 GB)."""

from __future__ import annotations

import statistics

import torch

from stic_bench import dpo_step
from stic_bench.bench import Bench
from stic_bench.models import NEXT_7B
from stic_bench.result import Result

COMMAND = "npm run bench:trainer -- seven_b"
_PARAMETERS = 7.1e9
"""Of the language model, embeddings left out."""
_PASSES = 3
"""Reference, policy and the backward pass through frozen weights: each about two operations a parameter and token."""
_BF16_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "B200": 2250e12}


def measure(bench: Bench) -> list[Result]:
    name = "one DPO step at LLaVA-1.6-7B shapes, bf16"
    if not torch.cuda.is_available():
        return [Result(name=name, yardstick="TRL's DPOTrainer", unit="s", agreement=f"on a GPU: {COMMAND}")]
    result = dpo_step.measure(bench, NEXT_7B)[0]
    step = dpo_step.DpoStep(bench, 1, NEXT_7B)
    tokens = step.image_tokens() + 2 * dpo_step.RESPONSE + 50
    per_second = tokens / statistics.median(result.ours)
    device = torch.cuda.get_device_name()
    peak = next((flops for model, flops in _BF16_FLOPS.items() if model in device), None)
    result.name, result.agrees = f"{name} ({device})", True
    result.details |= {
        "device": device,
        "tokens_per_second": per_second,
        "model_flops_utilisation": per_second * 2 * _PARAMETERS * _PASSES / peak if peak else None,
        "memory_gib_of_both": torch.cuda.max_memory_allocated() / 2**30,
    }
    return [result]
