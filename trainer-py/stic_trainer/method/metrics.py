"""What training reports at every optimizer step, each metric stated once: name, unit, reduction, meaning and chart.

Names are those TRL's trainers use, where it has the metric too. ``python -m stic_trainer.method.metrics`` prints what
recipes/generated/metrics.json holds: server, command line and console read it.
``--table`` prints docs/reference/training-metrics.md.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True, kw_only=True)
class Metric:
    name: str
    stage: str
    chart: str
    """Metrics of one chart are drawn together."""
    label: str
    """Of the line in its chart."""
    unit: str
    """"" for a number without one."""
    reduction: str
    """How a step's value comes from its pairs or rows."""
    meaning: str
    better: Better = ""
    """Which way training should move it; "" where neither is better."""
    zero_line: bool = False
    """Whether the sign tells something."""


def _of_optimizer(stage: str) -> tuple[Metric, ...]:
    return (
        Metric(
            name=f"{stage}/learning_rate",
            stage=stage,
            chart="Learning rate",
            label="learning rate",
            unit="",
            reduction="the step's",
            meaning="Linear warm-up, cosine decay to zero.",
        ),
        Metric(
            name=f"{stage}/grad_norm",
            stage=stage,
            chart="Gradient norm",
            label="gradient norm",
            unit="",
            reduction="of the step's whole gradient",
            meaning="Euclidean norm of the gradient before clipping.",
        ),
    )


_MEAN = "mean over the step's pairs"

DPO_TERMS = (
    Metric(
        name="dpo/loss",
        stage="dpo",
        chart="Loss",
        label="loss",
        unit="nats",
        reduction=_MEAN,
        meaning="Regularised DPO loss; starts at ln 2 plus the chosen-text term.",
        better="lower",
    ),
    Metric(
        name="rewards/margins",
        stage="dpo",
        chart="Reward margin",
        label="margin",
        unit="nats",
        reduction=_MEAN,
        meaning="Reward of the chosen minus that of the rejected text; above 0 the chosen text is preferred.",
        better="higher",
        zero_line=True,
    ),
    Metric(
        name="rewards/accuracies",
        stage="dpo",
        chart="Accuracy",
        label="accuracy",
        unit="share",
        reduction=_MEAN,
        meaning="Share of pairs with a margin above 0; 0.5 is chance.",
        better="higher",
    ),
    Metric(
        name="rewards/chosen",
        stage="dpo",
        chart="Rewards",
        label="chosen",
        unit="nats",
        reduction=_MEAN,
        meaning="Beta times how much likelier the chosen text is than under the reference; should not fall below 0.",
        better="higher",
        zero_line=True,
    ),
    Metric(
        name="rewards/rejected",
        stage="dpo",
        chart="Rewards",
        label="rejected",
        unit="nats",
        reduction=_MEAN,
        meaning="Beta times how much likelier the rejected text is than under the reference.",
        better="lower",
        zero_line=True,
    ),
    Metric(
        name="logps/chosen",
        stage="dpo",
        chart="Log-probabilities",
        label="chosen",
        unit="nats",
        reduction=_MEAN,
        meaning="Log-probability of the chosen text, summed over its tokens.",
        better="higher",
    ),
    Metric(
        name="logps/rejected",
        stage="dpo",
        chart="Log-probabilities",
        label="rejected",
        unit="nats",
        reduction=_MEAN,
        meaning="Log-probability of the rejected text, summed over its tokens.",
    ),
)
"""In the order of ``method.dpo.DpoSums``."""

SFT_LOSS = Metric(
    name="sft/loss",
    stage="sft",
    chart="Loss",
    label="loss",
    unit="nats per token",
    reduction="mean over the step's rows of each row's mean over its answer tokens",
    meaning="Cross-entropy of the answers.",
    better="lower",
)

METRICS = (*DPO_TERMS, *_of_optimizer("dpo"), SFT_LOSS, *_of_optimizer("sft"))


def as_json() -> str:
    return json.dumps([asdict(metric) for metric in METRICS], indent=2) + "\n"


def as_table() -> str:
    """docs/reference/training-metrics.md."""
    head = ("Metric", "Stage", "Unit", "A step's value", "Better", "Meaning")
    rows = [(f"`{each.name}`", each.stage, each.unit, each.reduction, each.better, each.meaning) for each in METRICS]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(head, widths), _line(["-" * width for width in widths], widths), *(_line(row, widths) for row in rows)]
    return "\n".join((_INTRODUCTION, *lines)) + "\n"


def _line(cells: tuple[str, ...] | list[str], widths: list[int]) -> str:
    return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"


_INTRODUCTION = """# Metrics

<!-- Written by `python -m stic_trainer.method.metrics --table`; a test fails when it is out of date. -->

Reported at every optimizer step. `rewards/*` and `logps/*` have the names and meanings that TRL's `DPOTrainer` gives them: a reward is
beta times the log-ratio of policy and reference, summed over the text's tokens. Benchmark metrics come from the benchmark itself.
"""

if __name__ == "__main__":
    print(as_table() if sys.argv[1:] == ["--table"] else as_json(), end="")
