"""What each field of a recipe may be: schema.json, written from recipe.proto by `npm run proto`. The server checks with the same table.

Keys are paths from the recipe; ``[]`` stands for each entry of a list. stic.api.v1.FieldRules says what each rule means.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stic_trainer.decode import require

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rules = Mapping[str, Any]

_BOUNDS: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@cache
def recipe_schema() -> dict[str, Rules]:
    """The rules of every leaf, in the proto's order."""
    fields: dict[str, Rules] = json.loads((Path(__file__).parent / "schema.json").read_text("utf-8"))
    return fields


def check_fields(recipe: DataclassInstance, *, at: str = "", model_named: bool = True) -> None:
    """DecodeError for the first leaf of a ``config.job.Recipe`` that is not what it may be; ``at`` goes before its path.

    Of a preset whose user names the model (``model_named`` false) the model's path is not asked for.
    """
    for path, field, value in leaves(recipe, field=at):
        rules = recipe_schema()[path]
        if model_named or path != "model.path":
            require(_holds(rules, value), field, value, rules["allowed"])


def leaves(part: DataclassInstance, path: str = "", field: str = "") -> Iterator[tuple[str, str, object]]:
    """Of each leaf its path in the schema, its path with the places in lists, and its value."""
    for each in dataclasses.fields(part):
        value = getattr(part, each.name)
        below, at = f"{path}{each.name}", f"{field}{each.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from leaves(value, f"{below}.", f"{at}.")
        elif isinstance(value, tuple) and below not in recipe_schema():
            for index, entry in enumerate(value):
                yield from leaves(entry, f"{below}[].", f"{at}[{index}].")
        else:
            yield below, at, value


def _holds(rules: Rules, value: Any) -> bool:
    if not rules.get("repeated"):
        return _one_holds(rules, value)
    unique = not rules.get("unique") or len(set(value)) == len(value)
    sized = rules.get("min_items", 0) <= len(value) <= rules.get("max_items", len(value))
    return unique and sized and all(_one_holds(rules, entry) for entry in value)


def _one_holds(rules: Rules, value: Any) -> bool:
    """Types and the names of enums are the decoder's."""
    if rules["type"] in ("integer", "number"):
        return all(within(value, rules[name]) for name, within in _BOUNDS.items() if name in rules)
    return rules["type"] != "string" or _text_holds(rules, value)


def _text_holds(rules: Rules, value: str) -> bool:
    if not value and not rules.get("repeated"):
        return not rules.get("required")
    trimmed = value.strip()
    return (
        (bool(trimmed) or not rules.get("required"))
        and len(trimmed) >= rules.get("min_len", 0)
        and len(value) <= rules.get("max_len", len(value))
        and ("pattern" not in rules or re.fullmatch(rules["pattern"], value) is not None)
        and (not rules.get("uuid") or _UUID.fullmatch(value) is not None)
        and ("not_contains" not in rules or rules["not_contains"] not in value)
    )
