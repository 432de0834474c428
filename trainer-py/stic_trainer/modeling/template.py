"""Chat templates by their files: read without torch, so that a model can be inspected at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from stic_trainer.errors import StageError


def read_chat_template(folder: Path) -> str:
    """The folder's chat template, from the first of its files in transformers' order. StageError MODEL_INVALID for none."""
    for name in ("processor_config.json", "chat_template.json", "chat_template.jinja", "tokenizer_config.json"):
        path = folder / name
        if not path.is_file():
            continue
        text = path.read_text("utf-8")
        template = text if path.suffix == ".jinja" else json.loads(text).get("chat_template")
        if isinstance(template, list):
            template = {entry["name"]: entry["template"] for entry in template}
        if isinstance(template, dict):
            template = template.get("default")
        if isinstance(template, str):
            return template
    raise no_template(folder)


def template_hash(template: str) -> str:
    return hashlib.sha256(template.encode("utf-8")).hexdigest()


def no_template(folder: Path) -> StageError:
    return StageError(
        "MODEL_INVALID",
        "the model has no chat template, so prompts cannot be written the way it was trained",
        str(folder),
        "add chat_template.jinja from the model's page on the Hugging Face hub to the folder",
    )
