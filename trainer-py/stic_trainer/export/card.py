"""The model card of a merged folder: what it was made from, by digest, and what was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stic_trainer.export.verify import TOLERANCE, Verified


def model_card(base_name: str, about: Mapping[str, str], found: Verified, *, adapter_sha256: str) -> str:
    """README.md. about: what is known of the run, as rows of a table (recipe digest, run id, datasets, metrics, ...)."""
    facts = {"Base model": base_name, "Adapter (sha256 of its folder)": adapter_sha256, "Dtype of the merged weights": found.dtype, **about}
    table = "\n".join(f"| {_cell(name)} | {_cell(value)} |" for name, value in facts.items() if value)
    # JSON strings are YAML strings, whatever a folder is called.
    return f"""---
base_model: {json.dumps(base_name)}
library_name: transformers
pipeline_tag: image-text-to-text
tags:
- stic
---

# {_cell(base_name)} with a merged STIC adapter

The adapter is a LoRA on the language model, trained by self-training on image comprehension (STIC, arXiv 2405.19716). Here it is
merged into the base model's weights. Processor, tokenizer and chat template are the base model's, byte for byte; so is its licence.

| | |
| --- | --- |
{table}

## Check

Logits of this folder against those of base model and adapter, both in fp32 on the same images and texts:

| | |
| --- | --- |
| largest difference of a logit | {found.largest:.3g} |
| root mean square of the difference | {found.rounding:.3g} |
| the adapter's own effect, root mean square | {found.effect:.3g} |
| the adapter's own effect, nats a token | {found.effect_nats:.3g} |

Beyond rounding the merged weights to {found.dtype}, the allowed difference is {TOLERANCE:g} (of the largest logit, where that is above 1).

## Use

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("this folder", dtype="auto")
processor = AutoProcessor.from_pretrained("this folder")
```
"""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
