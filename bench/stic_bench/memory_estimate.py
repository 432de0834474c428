"""What the preflight says a stage needs, beside what its process took at most (VmHWM): stages as a worker runs them, on CPU.

Each stage runs twice: as the environment has it, where the estimate is an upper bound, and with tensors mapped by themselves
(MALLOC_MMAP_THRESHOLD_), where it is to be within 15 %.
``python -m stic_bench.memory_estimate [CASE ...]`` writes bench/results/memory_estimate.json; each stage runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_bench import data
from stic_bench.models import NEXT, QUICK_NEXT, Shape, make_model
from stic_bench.ours import recipe, run
from stic_trainer.config.job import ArtifactKind, Job, JobInput, Recipe, StageKind
from stic_trainer.data.records import ImageItem, InstructionRow, Turn, write_rows
from stic_trainer.preflight.estimate import estimate
from stic_trainer.preflight.measure import measure as measure_lengths
from stic_trainer.preflight.memory import CPU, CPU_MAPPED, Device
from stic_trainer.runtime.store import Store

_RESULTS = Path(__file__).parents[1] / "results" / "memory_estimate.json"
LIMIT = 0.15
"""By which an estimate may differ from the measured peak."""
_FIRST_CHARACTER, _SURROGATES = 0x3400, range(0xD800, 0xE000)
SMOL = Shape("smol", False, 576, 30, 9, 3, 1536, 256, 6, 4, 1024, 49_152)
"""The language model of SmolLM2-135M behind a small tower with LLaVA's 576 tokens an image."""


@dataclass(frozen=True)
class Case:
    shape: Shape | None
    """None: the embedded model on its own pictures."""
    preset: str
    images: int
    size: tuple[int, int]
    overrides: dict[str, Any]


def _short(new_tokens: int, **speed: bool) -> dict[str, Any]:
    """Short texts, so that a case takes minutes."""
    generation = {"generation": {"max_new_tokens": new_tokens}}
    return {"prefer": generation, "describe": generation, "speed": speed}


CASES = {
    "world": Case(None, "tiny", 24, (128, 128), {}),
    "next-quick": Case(QUICK_NEXT, "paper", 6, (640, 480), _short(96)),
    "next-quick-kept": Case(QUICK_NEXT, "paper", 6, (640, 480), _short(96, gradient_checkpointing=False)),
    "next": Case(NEXT, "paper", 4, (640, 480), _short(48)),
    "next-kept": Case(NEXT, "paper", 4, (640, 480), _short(48, gradient_checkpointing=False)),
    "smol": Case(SMOL, "paper", 6, (640, 480), _short(48)),
    "smol-kept": Case(SMOL, "paper", 4, (640, 480), _short(96, gradient_checkpointing=False)),
}


def measure(name: str, folder: Path, threads: int) -> list[dict[str, Any]]:
    """The case's stages in order: kind, measured and estimated bytes, both ways, and the ratios of estimate and measurement."""
    case, store = CASES[name], Store(folder / "store")
    settings, inputs = _prepare(case, folder, store)
    bounds, estimates = (_estimates(settings, store, inputs, device) for device in (CPU, CPU_MAPPED))
    rows: list[dict[str, Any]] = []
    for kind in (StageKind.PREFER, StageKind.DPO, StageKind.DESCRIBE, StageKind.INFUSE, StageKind.SFT):
        found = _child(name, kind, inputs, folder, threads, mapped=False)
        if kind is not StageKind.INFUSE:
            mapped = _child(name, kind, inputs, folder, threads, mapped=True)
            rows.append(row(kind, mapped["peak"], estimates[kind], found["peak"], bounds[kind]))
            print(name, rows[-1], flush=True)
        inputs |= found["artifacts"]
    return rows


def row(kind: StageKind, mapped: int, estimated: int, heap: int, bound: int) -> dict[str, Any]:
    return {
        "stage": str(kind),
        "mapped": {"measured": mapped, "estimated": estimated, "ratio": round(estimated / mapped, 3), "limit": LIMIT},
        "heap": {"measured": heap, "upper_bound": bound, "ratio": round(bound / heap, 3)},
    }


def _estimates(settings: Recipe, store: Store, inputs: dict[str, str], device: Device) -> dict[StageKind, int]:
    listed = tuple(JobInput(role=role, name="", sha256=sha, kind=ArtifactKind.BLOB, metadata={}) for role, sha in inputs.items())
    job = Job(job_id="bench", run_id="bench", kind=StageKind.PREFER, recipe=settings, inputs=listed)
    stages = estimate(settings, measure_lengths(job, store), device, starts_from_adapter=False)
    return {stage.kind: sum(stage.memory.values()) for stage in stages}


def _prepare(case: Case, folder: Path, store: Store) -> tuple[Recipe, dict[str, str]]:
    items = _pictures(case, folder / "pictures", store)
    rows = [
        InstructionRow(
            name=item.name,
            conversations=(
                Turn(sender="human", value="<image>\nHow many cats are there?"),
                Turn(sender="gpt", value="There are two cats."),
            ),
            image=item,
        )
        for item in items
    ]
    inputs = {"images": _blob(store, folder / "images.jsonl", items), "instructions": _blob(store, folder / "rows.jsonl", rows)}
    return _settings(case, folder), inputs


def _settings(case: Case, folder: Path) -> Recipe:
    return recipe(case.preset, "embedded:world" if case.shape is None else _speaking_model(folder, case.shape), case.overrides)


def _pictures(case: Case, folder: Path, store: Store) -> list[ImageItem]:
    if case.shape is None:
        return data.scenes(store, folder, case.images)
    width, height = case.size
    painted = [data.paint(store, folder, case.size, seed) for seed in range(case.images)]
    return [
        ImageItem(name=f"{at}.png", sha256=sha, bytes=1, width=width, height=height, format="PNG", mode="RGB", thumbnail=sha)
        for at, sha in enumerate(painted)
    ]


def _blob(store: Store, path: Path, rows: Any) -> str:
    write_rows(path, rows)
    return store.put_blob_file(path)[0]


def _speaking_model(folder: Path, shape: Shape) -> Path:
    """The model, with a character for every id of its vocabulary: what a random model writes can then be read back token by token."""
    model = make_model(folder / "models", shape)
    path = model / "tokenizer.json"
    fields = json.loads(path.read_text("utf-8"))
    vocabulary = fields["model"]["vocab"]
    code = _FIRST_CHARACTER
    for number in range(len(vocabulary), shape.vocabulary):
        code = _SURROGATES.stop if code in _SURROGATES else code
        vocabulary[chr(code)] = number
        code += 1
    path.write_text(json.dumps(fields), "utf-8")
    return model


def _child(name: str, kind: StageKind, inputs: dict[str, str], folder: Path, threads: int, *, mapped: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "stic_bench.memory_estimate", "--stage", kind, json.dumps(inputs)]
    environment = {key: value for key, value in os.environ.items() if key != "MALLOC_MMAP_THRESHOLD_"}
    environment |= {"MALLOC_MMAP_THRESHOLD_": str(2**20)} if mapped else {}
    arguments = [*command, "--folder", str(folder), "--threads", str(threads), name]
    output = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(output.stdout.splitlines()[-1])
    return found


def _run_stage(name: str, kind: StageKind, inputs: dict[str, str], folder: Path, threads: int) -> None:
    from stic_trainer.runtime.memory import peak_memory

    settings = _settings(CASES[name], folder)
    work = folder / f"work-{kind}"
    shutil.rmtree(work, ignore_errors=True)
    recorder = run(kind, settings, inputs, store=Store(folder / "store"), work=work, threads=threads)
    print(json.dumps({"peak": peak_memory(), "artifacts": recorder.artifacts}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; all by default")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--stage", nargs=2, metavar=("KIND", "INPUTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        kind, inputs = options.stage
        _run_stage(options.cases[0], StageKind(kind), json.loads(inputs), options.folder, options.threads)
        return
    kept = json.loads(_RESULTS.read_text("utf-8")) if _RESULTS.exists() else {}
    for name in options.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="stic-memory-") as folder:
            kept[name] = measure(name, Path(folder), options.threads)
            _RESULTS.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
