"""Whether a folder's weights are the model's: every tensor there, none left over, the right shapes, all numbers finite."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stic_trainer.errors import StageError
from stic_trainer.modeling.config_check import quantized
from stic_trainer.modeling.weight_files import INDEX, SINGLE, TensorHeader

_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}

_UNUSED = re.compile(r"(^|\.)(position_ids|rotary_emb\.inv_freq)$|(^|\.)vision_(tower|model)\.head\.")
"""Left-over tensors that change nothing: buffers that older versions of the library saved, and SigLIP's pooling head."""

_QUANTIZED = re.compile(
    r"\.(qweight|qzeros|g_idx|scales|absmax|quant_map|quant_state\..*|SCB|weight_scale|weight_packed|weight_scale_inv)$"
)
"""Names that GPTQ, AWQ, bitsandbytes, compressed-tensors and fp8 give to their tensors."""


def outline(headers: Mapping[str, TensorHeader], folder: Path) -> dict[str, Tensor]:
    """The tensors of ``headers`` without their numbers, on device meta. StageError MODEL_UNSUPPORTED for other types than floats."""
    for name, header in headers.items():
        if header.dtype not in _TYPES:
            raise quantized(f"{name} is of type {header.dtype}", str(_place(folder)))
    return {name: torch.empty(header.shape, dtype=_TYPES[header.dtype], device="meta") for name, header in headers.items()}


def check_loaded(info: Mapping[str, Any], folder: Path) -> None:
    """Refuses what ``from_pretrained(output_loading_info=True)`` tells of. StageError MODEL_INVALID or MODEL_UNSUPPORTED."""
    missing = sorted(info["missing_keys"])
    extra = sorted(name for name in info["unexpected_keys"] if not _UNUSED.search(name))
    if marks := [name for name in extra if _QUANTIZED.search(name)]:
        raise quantized(f"it has the tensor {marks[0]}", str(_place(folder)))
    shapes = sorted(f"{name} {_shape(found)}, which config.json makes {_shape(wanted)}" for name, found, wanted in info["mismatched_keys"])
    faults = [
        *_fault(missing, "tensors that the model needs are missing", "tensor that the model needs is missing"),
        *_fault(extra, "tensors belong to no part of the model", "tensor belongs to no part of the model"),
        *_fault(shapes, "tensors have the wrong shape", "tensor has the wrong shape"),
    ]
    if faults:
        raise StageError(
            "MODEL_INVALID",
            "; ".join(faults),
            str(_place(folder)),
            "Fetch the folder again: weights and config.json must be of one model, and a merge or conversion must save every part of it.",
        )


def check_finite(model: torch.nn.Module, folder: Path) -> None:
    """StageError MODEL_INVALID naming the tensors with NaN or infinite numbers."""
    bad = [name for name, tensor in model.state_dict().items() if tensor.is_floating_point() and not _is_finite(tensor)]
    for fault in _fault(sorted(bad), "tensors have numbers that are NaN or infinite", "tensor has numbers that are NaN or infinite"):
        raise StageError(
            "MODEL_INVALID",
            fault,
            str(_place(folder)),
            "Fetch the weights again, or save them in a type with enough range: fp16 overflows above 65,504, bf16 does not.",
        )


def _is_finite(tensor: Tensor) -> bool:
    if tensor.numel() == 0:
        return True
    low, high = torch.aminmax(tensor)  # one pass and no copy; NaN and infinity come through
    return bool(torch.isfinite(low) & torch.isfinite(high))


def _fault(names: Collection[str], many: str, one: str) -> list[str]:
    """At most one sentence: the number of ``names`` and the first three."""
    if not names:
        return []
    first = ", ".join(list(names)[:3])
    return [f"{len(names)} {one if len(names) == 1 else many}: {first}{', ...' if len(names) > 3 else ''}"]


def _shape(size: Any) -> str:
    return f"({', '.join(map(str, size))})"


def _place(folder: Path) -> Path:
    return folder / (SINGLE if (folder / SINGLE).is_file() else INDEX)
