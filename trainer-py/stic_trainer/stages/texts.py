"""Generated texts that survive a restart: finished ones are appended to a file of the stage's work folder and not made again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stic_trainer.config.job import GenerationConfig
from stic_trainer.modeling.generation import Answer, Refusal, Request, generate
from stic_trainer.modeling.policy import Policy
from stic_trainer.runtime.context import StageContext


@dataclass
class Texts:
    """What became of each request, by its key: a text, or a refusal."""

    said: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    cut_off: int = 0
    """Texts that the bound on new tokens ended."""


def write_texts(
    ctx: StageContext,
    policy: Policy,
    requests: Sequence[Request],
    settings: GenerationConfig,
    *,
    max_batch_tokens: int,
    journal: str,
    on_progress: Callable[[Texts], None],
) -> Texts:
    """A text or a refusal for every request. Keys must be unique within ``journal``, a file name in the work folder.

    Every process of the job generates a share of the batches; after each round all of them know all of it.
    """
    path, ranks = ctx.work / journal, ctx.ranks
    texts = ranks.all_gather(_read(path, {request.key for request in requests}))[0]
    on_progress(texts)
    missing = [request for request in requests if request.key not in texts.said and request.key not in texts.refused]
    with open(path, "a", encoding="utf-8") as file:
        share = generate(policy, missing, settings, max_batch_tokens=max_batch_tokens, share=(ranks.rank, ranks.world_size))
        while any(parts := ranks.all_gather(next(map(_rows, share), None))):
            rows = [row for part in parts if part for row in part]
            file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
            file.flush()
            os.fsync(file.fileno())
            for row in rows:
                _take(texts, row)
            on_progress(texts)
            ctx.check_stop()
    return texts


def _rows(batch: tuple[list[Answer], list[Refusal]]) -> list[dict[str, object]]:
    answers, refusals = batch
    rows: list[dict[str, object]] = [{"key": a.key, "text": a.text, "ended": a.ended} for a in answers]
    return rows + [{"key": r.key, "code": r.code, "reason": r.reason} for r in refusals]


def _read(path: Path, keys: set[str]) -> Texts:
    texts = Texts()
    if not path.exists():
        return texts
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        # The process was killed while it wrote the last line.
        with open(path, "r+b") as file:
            file.truncate(len(whole))
    for line in whole.decode("utf-8").split("\n")[:-1]:
        row = json.loads(line)
        if row["key"] in keys:
            _take(texts, row)
    return texts


def _take(texts: Texts, row: dict[str, object]) -> None:
    key = str(row["key"])
    if "code" in row:
        texts.refused[key] = Refusal(key, str(row["code"]), str(row["reason"]))
    else:
        texts.said[key] = str(row["text"])
        texts.cut_off += not row["ended"]
