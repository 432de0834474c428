"""Recipes from recipes/*.json and prompts/*.json, for running stages without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stic_trainer.config.job import Recipe
from stic_trainer.config.schema import check_fields
from stic_trainer.decode import DecodeError, decode
from stic_trainer.errors import StageError

REPOSITORY = Path(__file__).resolve().parents[3]


def load_recipe(preset: str, overrides: dict[str, Any] | None = None, *, root: Path = REPOSITORY) -> Recipe:
    """The recipe ``recipes/<preset>.json`` over what it extends, with ``overrides`` (same shape) on top."""
    fields = _merged(_resolved(preset, root), overrides or {})
    fields["preset"] = preset
    for name in ("description", "retry"):  # for people, for the control plane
        fields.pop(name, None)
    fields["model"] = {"path": "", "digest": "", "architecture": "", "template_hash": ""} | fields["model"]
    prompts = fields["prompts"]
    if set(prompts) == {"name"}:
        fields["prompts"] = {"digest": ""} | _read(root / "prompts" / f"{prompts['name']}.json")
    try:
        recipe = decode(Recipe, fields)
        check_fields(recipe, model_named=bool(recipe.model.path))
        return recipe
    except DecodeError as error:
        raise StageError("CONFIG_INVALID", f"{error.field or 'recipe'} {error.reason}", f"recipes/{preset}.json") from error


def _resolved(preset: str, root: Path, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    if preset in seen:
        raise StageError("CONFIG_INVALID", f"recipes extend each other: {' -> '.join([*seen, preset])}", f"recipes/{preset}.json")
    fields = _read(root / "recipes" / f"{preset}.json")
    parent = fields.pop("extends", None)
    return fields if parent is None else _merged(_resolved(parent, root, (*seen, preset)), fields)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Objects merge key by key; everything else, lists included, is replaced. A prompt set is replaced whole."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both and key not in ("prompts", "parameters") else value
    return result


def _read(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.json"))) or "none"
        raise StageError("CONFIG_INVALID", f"{path.name} does not exist; known: {known}", str(path)) from None
    except json.JSONDecodeError as error:
        raise StageError("CONFIG_INVALID", f"not JSON: {error}", str(path)) from error
    if not isinstance(fields, dict):
        raise StageError("CONFIG_INVALID", "not a JSON object", str(path))
    return fields
