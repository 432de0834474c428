"""``npm run bench:trainer``: every row, or those named, in turns with its yardstick; a table, and JSON in bench/results/.

The JSON keeps, row by row, the newest measurement with its date, machine and versions; rows that are not asked for stay.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module, metadata
from pathlib import Path

import torch

from stic_bench.bench import Bench
from stic_bench.result import Result, table

ROWS = ("dpo_step", "sft_epoch", "generation", "memory", "whole_recipe", "growth", "seven_b")


def main() -> int:
    options = _options()
    torch.set_num_threads(options.threads)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="stic-bench-", dir=options.temporary) as folder:
        bench = Bench(Path(folder), options.threads, options.pairs, options.quick)
        for name in options.rows or ROWS:
            start = time.perf_counter()
            print(f"{name} ...", file=sys.stderr, flush=True)
            measured = import_module(f"stic_bench.{name}").measure(bench)
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
            _keep(options, name, measured)
            results += measured
    print(table(results))
    return 0 if all(result.agrees for result in results) else 1


def _keep(options: argparse.Namespace, name: str, measured: list[Result]) -> None:
    """Puts a row's results into the file in place of its earlier ones, and writes the table of all rows beside it."""
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": options.quick,
        "threads": options.threads,
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("torch", "transformers", "peft", "accelerate", "trl", "datasets")},
    }
    kept = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
    kept[name] = {"about": about, "results": [result.record() for result in measured]}
    ordered = {row: kept[row] for row in ROWS if row in kept}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")
    results = [Result.of(record) for row in ordered.values() for record in row["results"]]
    options.out.with_suffix(".md").write_text(table(results) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench:trainer --", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"any of {', '.join(ROWS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that everything runs")
    parser.add_argument("--pairs", type=int, default=5, help="repetitions of each side")
    parser.add_argument("--threads", type=int, default=2, help="torch threads of both sides")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "trainer.json")
    parser.add_argument("--temporary", type=Path, help="folder for models and data; the system's by default")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
