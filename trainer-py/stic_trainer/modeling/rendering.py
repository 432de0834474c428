"""Conversations written with the model's own chat template, each message's text known from what the template writes around it.

A shape of conversation (roles and images) is rendered once with markers in the texts' place. That gives the template's own pieces,
and tells whether it trims a text. A text is therefore never searched for, and nothing in it is taken for a part of the template.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError

_OPEN, _CLOSE = "\U0010fffe", "\U0010ffff"  # noncharacters of Unicode: no template writes them
_EDGE = "\x1f"  # whitespace to Python's strip and Jinja's trim, and no template writes it
_MARKER = re.compile(f"({_EDGE}?){_OPEN}(\\d+)Q  \nq{_CLOSE}({_EDGE}?)")


@dataclass(frozen=True)
class Message:
    role: str
    """user | assistant | system"""
    text: str
    image: bool = False


class TextError(ValueError):
    """A conversation that cannot be written; a sentence for people. It costs the row, not the run."""


class PlaceholderError(TextError):
    """A text that itself contains the model's image placeholder."""


@dataclass(frozen=True)
class _Skeleton:
    """What the template writes before, between and behind ``n`` texts (n + 1 pieces), and which ends of each text it trims."""

    pieces: tuple[str, ...]
    trims: tuple[tuple[bool, bool], ...]

    def fill(self, texts: Sequence[str]) -> list[str]:
        """Pieces and texts in turn, (2n + 1)."""
        filled = [self.pieces[0]]
        for text, (left, right), piece in zip(texts, self.trims, self.pieces[1:], strict=True):
            trimmed = text.lstrip() if left else text
            filled += [trimmed.rstrip() if right else trimmed, piece]
        return filled


class Renderer:
    """The processor's chat template, applied by the library."""

    def __init__(self, processor: Any, template: str) -> None:
        """TextError where the template fails on an ordinary conversation."""
        self._processor = processor
        self._template = template
        self._text_only = False
        """The template takes a message's content as one text instead of a list of parts."""
        self._skeletons: dict[tuple[Any, ...], _Skeleton] = {}
        probe = [Message("user", "", image=True), Message("assistant", "")]
        try:
            self._learn(probe, generate=False)
        except TextError:
            # Only LLaVA's placeholder is a text without a frame around it, so that it can be written into the content.
            if not type(processor).__name__.startswith("Llava"):
                raise
            self._text_only = True
            try:
                self._learn(probe, generate=False)
                return
            except TextError:
                self._text_only = False
            self._learn(probe, generate=False)  # raises what is wrong with parts, the common form

    def write(self, messages: Sequence[Message], *, generate: bool) -> list[str]:
        """The conversation in turn as what the template writes and each message's text as it writes it, (2n + 1).

        generate: with the start of an assistant's turn at the end. TextError names what the template does to the texts.
        """
        shape = (generate, *((message.role, message.image) for message in messages))
        texts = [message.text for message in messages]
        rendered = self._render(messages, generate=generate)
        for known in (self._skeletons.get(shape), None):
            # Learned again where it has changed: a template may write the date.
            skeleton = known or self._learn(messages, generate=generate)
            self._skeletons[shape] = skeleton
            filled = skeleton.fill(texts)
            if "".join(filled) == rendered:
                return filled
        raise TextError("the chat template changes the wording of a message")

    def _learn(self, messages: Sequence[Message], *, generate: bool) -> _Skeleton:
        marked = [
            Message(message.role, f"{_EDGE}{_OPEN}{index}Q  \nq{_CLOSE}{_EDGE}", message.image) for index, message in enumerate(messages)
        ]
        rendered = self._render(marked, generate=generate)
        found = list(_MARKER.finditer(rendered))
        roles = ", ".join(message.role for message in messages)
        if [int(match[2]) for match in found] != list(range(len(messages))):
            raise TextError(f"the chat template leaves out, repeats or changes the texts of a conversation of {roles}")
        starts = [0, *(match.end() for match in found)]
        ends = [*(match.start() for match in found), len(rendered)]
        pieces = tuple(rendered[start:end] for start, end in zip(starts, ends, strict=True))
        return _Skeleton(pieces, tuple((not match[1], not match[3]) for match in found))

    def _render(self, messages: Sequence[Message], *, generate: bool) -> str:
        rows = [{"role": message.role, "content": self._content(message)} for message in messages]
        try:
            rendered: str = self._processor.apply_chat_template(
                rows, chat_template=self._template, tokenize=False, add_generation_prompt=generate
            )
        except Exception as error:  # a template is a program: it may fail in any way
            line = f" in line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
            raise TextError(f"the chat template fails{line}: {type(error).__name__}: {error}") from error
        return rendered

    def _content(self, message: Message) -> str | list[dict[str, str]]:
        if self._text_only:
            return f"{self._processor.image_token}\n{message.text}" if message.image else message.text
        return ([{"type": "image"}] if message.image else []) + [{"type": "text", "text": message.text}]
