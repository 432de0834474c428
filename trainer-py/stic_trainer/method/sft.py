"""Stage 2's loss: cross-entropy of the assistant's tokens, every row with the same weight however long its answers are."""

from __future__ import annotations

from torch import Tensor


def sft_loss(logps: Tensor, learned_tokens: Tensor) -> Tensor:
    """(rows,): mean cross-entropy per row from summed log-probabilities (rows,) and counts of assistant tokens (rows,), >= 1.

    A step's loss is the sum over its rows divided by the step's number of rows, so no split into micro-batches changes it.
    """
    return -logps / learned_tokens
