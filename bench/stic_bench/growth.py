"""How the cost grows with the number of images: prefer and one epoch of dpo at 100, 1,000 and 10,000, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from stic_bench.bench import Bench
from stic_bench.result import Result


def measure(bench: Bench) -> list[Result]:
    """Ours alone: ``ours`` is one image's share at a size, ``theirs`` at the smallest size; a ratio of 1 is linear growth."""
    counts = (20, 100) if bench.quick else (100, 1_000, 10_000)
    found = {count: _child(bench, count) for count in counts}
    rows = []
    for count in counts[1:]:
        for key, unit, what in (("seconds", "ms", "time an image"), ("peak", "MiB", "peak memory")):
            share = [found[each][key] * (1000 / each if key == "seconds" else 1) for each in (count, counts[0])]
            rows.append(
                Result(
                    name=f"{what}, {count:,} images, prefer and one epoch of dpo",
                    yardstick=f"ours at {counts[0]} images",
                    unit=unit,
                    ours=[share[0]],
                    theirs=[share[1]],
                    wanted="linear" if key == "seconds" else "flat",
                    details={str(each): found[each] for each in counts},
                )
            )
    return rows


def _child(bench: Bench, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "stic_bench.growth", str(bench.folder), str(count), str(bench.threads)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def _main(folder: Path, count: int, threads: int) -> None:
    from stic_bench import data, ours
    from stic_bench.memory import status_mib
    from stic_trainer.config.job import StageKind
    from stic_trainer.data.records import write_rows
    from stic_trainer.world.model import MODEL_FOLDER

    bench = Bench(folder, threads, 1, False)
    images = data.scenes(bench.store, folder / "growth", count, seed=1700)
    write_rows(folder / f"growth-{count}.jsonl", images)
    manifest, _ = bench.store.put_blob_file(folder / f"growth-{count}.jsonl")
    overrides = {"prefer": {"max_images": 0}, "dpo": {"optimizer": {"epochs": 1}}}
    settings = ours.recipe("tiny", MODEL_FOLDER, overrides | ours.levers())
    start = time.perf_counter()
    made = ours.run(StageKind.PREFER, settings, {"images": manifest}, store=bench.store, work=bench.fresh("growth"), threads=threads)
    middle = time.perf_counter()
    ours.run(StageKind.DPO, settings, {"pairs": made.artifacts["pairs"]}, store=bench.store, work=bench.fresh("growth"), threads=threads)
    end = time.perf_counter()
    print(json.dumps({"prefer": middle - start, "dpo": end - middle, "seconds": end - start, "peak": status_mib("VmHWM")}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
