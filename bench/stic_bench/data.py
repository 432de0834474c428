"""Pictures, pairs and instruction rows of known lengths. One character is one token."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from PIL import Image

from stic_trainer.data.records import ImageItem, ImageRef, InfusedRow, Pair, Turn
from stic_trainer.runtime.store import Store
from stic_trainer.world.scene import render, sample_scene
from stic_trainer.world.seeds import stream

_LETTERS = "abcdefghijklmnopqrstuvwxyz     "


def words(rng: random.Random, length: int) -> str:
    """A text of ``length`` characters without spaces at its ends."""
    return "".join(["x", *rng.choices(_LETTERS, k=max(0, length - 2)), "x"])[:length]


def paint(store: Store, folder: Path, size: tuple[int, int], seed: int) -> str:
    """A picture of ``size`` (width, height) px in the store; its sha256."""
    small = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed}-{size[0]}x{size[1]}.png"
    small.resize(size, Image.Resampling.BICUBIC).save(path)
    return store.put_blob_file(path)[0]


def pairs(store: Store, folder: Path, count: int, *, size: tuple[int, int], response: int) -> list[Pair]:
    """Pairs whose two texts have ``response`` tokens each, the end token included."""
    made = []
    for index in range(count):
        rng = random.Random(f"pair {index}")
        image = ImageRef(name=str(index), sha256=paint(store, folder, size, index))
        good, bad = words(rng, response - 1), words(rng, response - 1)
        made.append(
            Pair(
                id=str(index),
                index=index,
                image=image,
                prompt=words(rng, 40),
                chosen=good,
                rejected=bad,
                made_by="misleading",
                rejected_prompt="",
                corrupted_image=None,
                corruption_parameters={},
                seed=index,
            )
        )
    return made


def trl_pairs(store: Store, made: list[Pair]) -> list[dict[str, Any]]:
    return [
        {
            "images": [str(store.blob(pair.image.sha256))],
            "prompt": [{"role": "user", "content": pair.prompt}],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in made
    ]


def instructions(store: Store, folder: Path, count: int, *, answer: int, longest: int) -> list[InfusedRow]:
    """Rows of mixed length: every second with an image, questions of 20 to ``longest`` tokens, most of them short.

    All answers have ``answer`` tokens: then a mean over a batch's tokens (TRL's) and over its rows (ours) are one number.
    """
    rows = []
    for index in range(count):
        rng = random.Random(f"row {index}")
        length = int(20 + (longest - 20) * rng.random() ** 3)
        image = ImageRef(name=str(index), sha256=paint(store, folder, (336, 336), index)) if index % 2 else None
        question = words(rng, length)
        turns = (
            Turn(sender="human", value=f"<image>\n{question}" if image else question),
            Turn(sender="gpt", value=words(rng, answer - 1)),
        )
        rows.append(InfusedRow(name=str(index), image=image, conversations=turns))
    return rows


def trl_instructions(store: Store, rows: list[InfusedRow]) -> list[dict[str, Any]]:
    return [
        {
            "images": [str(store.blob(row.image.sha256))] if row.image else [],
            "prompt": [{"role": "user", "content": row.conversations[0].value.removeprefix("<image>\n")}],
            "completion": [{"role": "assistant", "content": row.conversations[1].value}],
        }
        for row in rows
    ]


def scenes(store: Store, folder: Path, count: int, *, seed: int = 1500) -> list[ImageItem]:
    """Pictures of the embedded world, in the store."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for index in range(count):
        rng = stream(seed, "bench", index)
        path = folder / f"{index:05d}.png"
        image = render(sample_scene(rng), rng)
        image.save(path)
        sha256, size = store.put_blob_file(path)
        path.unlink()
        items.append(
            ImageItem(
                name=path.name,
                sha256=sha256,
                bytes=size,
                width=image.width,
                height=image.height,
                format="PNG",
                mode="RGB",
                thumbnail=sha256,
            )
        )
    return items
