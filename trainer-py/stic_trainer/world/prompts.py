"""The world's prompt set, as the base training and the benchmarks need it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PROMPTS = Path(__file__).resolve().parents[3] / "prompts" / "world.json"


@dataclass(frozen=True)
class WorldPrompts:
    step_by_step: str
    plain: tuple[str, ...]
    misleading: tuple[str, ...]


def read_prompts(path: Path = DEFAULT_PROMPTS) -> WorldPrompts:
    data = json.loads(path.read_text("utf-8"))
    return WorldPrompts(data["step_by_step"], tuple(data["plain"]), tuple(data["misleading"]))
