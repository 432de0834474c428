"""What is measured of a model folder and of a run's datasets: token counts of a sample, and sizes of the model. Without torch."""

from __future__ import annotations

from dataclasses import dataclass

SAMPLE = 2_000
"""Items of a dataset that are looked at; all when there are no more."""


@dataclass(frozen=True, kw_only=True)
class ImageLengths:
    """An image of stage prefer. Tokens; a text's are those of its whole prompt, the image's own left out."""

    image: int
    chosen: int
    """Of the prompt that writes the preferred text."""
    rejected: int
    stored: int
    """Of the prompt that both texts answer in stage dpo."""


@dataclass(frozen=True, kw_only=True)
class RowLengths:
    """An instruction row, tokens. A row without image has 0 for ``image`` and ``describe``."""

    image: int
    describe: int
    """Of the prompt that asks for the description."""
    text: int
    """Of the infused conversation with an empty description, the image's own left out."""
    learned: int


@dataclass(frozen=True, kw_only=True)
class QuestionLengths:
    """An item of a benchmark, tokens."""

    image: int
    text: int
    """Of the question's prompt, the image's own left out."""


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """Sizes of a model as its configuration and the headers of its weights state them."""

    parameters: int
    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    max_positions: int
    lora_inputs_and_outputs: int
    """Sum over the linear layers that the recipe adapts, one decoder layer: a rank adds that many numbers."""
    tower_layers: int
    tower_hidden: int
    tower_inner: int
    patches: int
    """Of the sampled image with the most, over all its tiles."""
    attends_by_blocks: bool
    shares_prefix: bool
    packs: bool
    shares_image: bool


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Samples of what the run draws, with the whole numbers beside them."""

    model: ModelShape
    before_image: int
    """Tokens of the template in front of the image."""
    end: int
    """Tokens that end an answer."""
    describe_and_respond: int
    """Tokens of that prompt, the image's own left out."""
    num_images: int
    images: tuple[ImageLengths, ...]
    num_rows: int
    rows: tuple[RowLengths, ...]
    num_questions: int
    questions: tuple[QuestionLengths, ...]
