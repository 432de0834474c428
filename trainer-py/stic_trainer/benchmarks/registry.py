"""The benchmarks by the ``scorer`` name that a benchmark folder's ``benchmark.json`` gives."""

from __future__ import annotations

from stic_trainer.benchmarks.protocol import Benchmark
from stic_trainer.benchmarks.world_descriptions import WorldDescriptions
from stic_trainer.benchmarks.world_multi import WorldMulti
from stic_trainer.benchmarks.world_questions import WorldQuestions

_BENCHMARKS: dict[str, Benchmark] = {benchmark.name: benchmark for benchmark in (WorldDescriptions(), WorldQuestions(), WorldMulti())}


def benchmark_names() -> list[str]:
    return sorted(_BENCHMARKS)


def find_benchmark(name: str) -> Benchmark:
    """ValueError, with the known names, for an unknown one."""
    if name not in _BENCHMARKS:
        raise ValueError(f"unknown benchmark {name!r}; known are {', '.join(benchmark_names())}")
    return _BENCHMARKS[name]
