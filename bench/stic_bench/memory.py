"""Peak memory of the DPO step: each side in a process of its own, beyond the loaded model and in all."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

from stic_bench.bench import Bench
from stic_bench.result import Result

_STEPS = 3


def measure(bench: Bench) -> list[Result]:
    repetitions = 1 if bench.quick else bench.pairs
    found = [(_child(bench, "ours"), _child(bench, "trl")) for _ in range(repetitions)]
    rows = []
    for name, key in (("beyond the loaded model", "above"), ("in all", "peak")):
        rows.append(
            Result(
                name=f"peak memory of the DPO step, {name}",
                yardstick="TRL's DPOTrainer",
                unit="MiB",
                ours=[one[key] for one, _ in found],
                theirs=[other[key] for _, other in found],
                wanted="2x (half)" if key == "above" else "",
                agreement="see the DPO step",
            )
        )
    return rows


def _child(bench: Bench, side: str) -> dict[str, float]:
    """KvCache in MiB: ``peak`` in all, ``above`` what was in use when training began."""
    settings = {name: str(value) for name, value in dataclasses.asdict(bench).items()}
    command = [sys.executable, "-m", "stic_bench.memory", side, json.dumps(settings)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def status_mib(field: str) -> float:
    """A field of /proc/self/status in MiB: VmRSS is in use now, VmHWM the most since the last reset."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(field)


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", "utf-8")


def _main(side: str, fields: dict[str, str]) -> None:
    import torch

    from stic_bench.dpo_step import DpoStep

    bench = Bench(Path(fields["folder"]), int(fields["threads"]), int(fields["pairs"]), fields["quick"] == "True")
    torch.set_num_threads(bench.threads)
    work = DpoStep(bench, _STEPS)
    work.start()
    begin: list[float] = []

    def pause() -> None:
        if not begin:
            reset_peak()
            begin.append(status_mib("VmRSS"))

    if side == "ours":
        work.ours(pause)
    else:
        work.trl(pause)
    peak = status_mib("VmHWM")
    print(json.dumps({"peak": peak, "above": peak - begin[0]}))


if __name__ == "__main__":
    _main(sys.argv[1], json.loads(sys.argv[2]))
