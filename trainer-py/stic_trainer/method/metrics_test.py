"""The catalogue of metrics as others read it: written anew whenever a metric changes."""

from pathlib import Path

from stic_trainer.method.metrics import METRICS, as_json, as_table

ROOT = Path(__file__).resolve().parents[3]


def test_the_catalogue_that_server_and_console_read_is_this_one() -> None:
    ours = (ROOT / "recipes" / "generated" / "metrics.json").read_text("utf-8")
    assert ours == as_json(), "write it anew: python -m stic_trainer.method.metrics > ../recipes/generated/metrics.json"


def test_the_table_in_the_docs_is_this_one() -> None:
    ours = (ROOT / "docs" / "reference" / "training-metrics.md").read_text("utf-8")
    assert ours == as_table(), "write it anew: python -m stic_trainer.method.metrics --table > ../docs/reference/training-metrics.md"


def test_every_metric_is_stated_once_and_whole() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.meaning.endswith(".") and metric.reduction for metric in METRICS)
