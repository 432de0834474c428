"""A description put into a question: for stage 2's rows (Algorithm 2) and for describe-and-respond."""

from __future__ import annotations

IMAGE_PLACEHOLDER = "<image>"


def infuse(template: str, *, description: str, question: str) -> str:
    """``template`` with {description} and {question} replaced once each; braces inside the texts are left alone."""
    before, _, after = template.partition("{description}")
    return before.replace("{question}", question) + description.strip() + after.replace("{question}", question)


def split_placeholder(text: str) -> tuple[bool, str]:
    """LLaVA's "<image>\\n{question}" (or "{question}\\n<image>") as whether it holds an image, and the question.

    ValueError for more than one placeholder: rows with several images are not supported.
    """
    count = text.count(IMAGE_PLACEHOLDER)
    if count > 1:
        raise ValueError(f"{count} image placeholders in one turn; one is supported")
    return count == 1, text.replace(IMAGE_PLACEHOLDER, "").strip() if count else text


def infuse_turn(template: str, *, description: str, turn: str) -> str:
    """The first human turn with the description between image and question, image first."""
    _, question = split_placeholder(turn)
    return f"{IMAGE_PLACEHOLDER}\n{infuse(template, description=description, question=question)}"
