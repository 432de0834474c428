"""Where an adapter's weights stand in a model, and how PEFT is told so. Without torch: the sidecar judges adapters by their headers."""

from __future__ import annotations

import re
from collections.abc import Sequence

LANGUAGE_MODEL = "model.language_model"
PEFT_PREFIX = "base_model.model."

# Where folders keep the language model's layers: as the library names them today, as it did before 4.52, and as flat Qwen folders do.
_LAYER = re.compile(r"(?:model\.language_model|language_model\.model|model)\.(layers\.\d+\.[\w.]+)")


def layer_of(weight: str) -> str | None:
    """ "layers.0.self_attn.q_proj.weight" of the name of a weight of the language model's layers, whatever stands before; else None."""
    found = _LAYER.fullmatch(weight)
    return found[1] if found else None


def target_pattern(leaves: Sequence[str]) -> str:
    """A pattern for PEFT that matches these linear layers inside the language model only."""
    return re.escape(LANGUAGE_MODEL) + r"\.layers\.\d+\.(?:\w+\.)*(?:" + "|".join(re.escape(leaf) for leaf in leaves) + ")"
