"""Benchmarks: one module each, found by name in the registry. No torch and no transformers in here."""

from stic_trainer.benchmarks.bootstrap import Interval, paired_bootstrap
from stic_trainer.benchmarks.protocol import Benchmark, Item, Metric, read_items
from stic_trainer.benchmarks.registry import benchmark_names, find_benchmark

__all__ = [
    "Benchmark",
    "Interval",
    "Item",
    "Metric",
    "benchmark_names",
    "find_benchmark",
    "paired_bootstrap",
    "read_items",
]
