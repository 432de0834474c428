"""Conversations as token ids, through the model's own chat template, with the assistant's tokens known.

The image placeholder is put in by the template, first in the user's turn, and becomes as many image tokens as the image has
features, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.modeling.image_text import read_image_text
from stic_trainer.modeling.template import no_template, template_hash


@dataclass(frozen=True)
class Message:
    role: str
    """user | assistant | system"""
    text: str
    image: bool = False


@dataclass(frozen=True)
class Tokens:
    """``ids`` of a conversation; ``learned`` says which of them the assistant wrote, its end of turn included."""

    ids: list[int]
    learned: list[bool]


class PlaceholderError(ValueError):
    """A text that itself contains the model's image placeholder."""


class Chat:
    def __init__(self, processor: Any, folder: Path) -> None:
        template = processor.chat_template
        if isinstance(template, dict):
            template = template.get("default")
        if not isinstance(template, str):
            raise no_template(folder)
        self.template_hash = template_hash(template)
        self._tokenizer = processor.tokenizer
        self._processor = processor
        self._template = template
        self.image_token: str = processor.image_token
        self.image_token_id: int = processor.image_token_ids[0]
        self._image_text = read_image_text(processor)
        self._reserved = tuple(dict.fromkeys([self.image_token, self._image_text.token]))
        if self._tokenizer.eos_token is None or not self._tokenizer.is_fast:
            raise StageError("MODEL_INVALID", "the tokenizer has no end-of-text token or is not a fast one", str(folder))
        self._end: str = self._tokenizer.eos_token

    def prompt(self, messages: Sequence[Message], image_tokens: int) -> list[int]:
        """Ids up to where the assistant begins to write."""
        text = self._render(messages, generate=True)
        ids: list[int] = self._tokenize(self._expand(text, messages, image_tokens))["input_ids"]
        self._check(ids, messages, image_tokens)
        return ids

    def conversation(self, messages: Sequence[Message], image_tokens: int) -> Tokens:
        """Ids of the whole conversation. An assistant's turn ends with the end-of-text token even where the template omits it."""
        pieces: list[tuple[str, bool]] = []
        done = ""
        for index, message in enumerate(messages):
            if message.role != "assistant":
                continue
            before = self._render(messages[:index], generate=True)
            after = self._render(messages[: index + 1], generate=False)
            if not before.startswith(done) or not after.startswith(before):
                raise StageError(
                    "MODEL_INVALID",
                    "the chat template rewrites earlier turns, so the assistant's words cannot be told from the prompt",
                    "chat_template",
                )
            written = after[len(before) :]
            if not written.rstrip().endswith(self._end):
                written = written.rstrip() + self._end
            pieces += [(before[len(done) :], False), (written, True)]
            done = after
        return self._with_learned(pieces, messages, image_tokens)

    def text(self, ids: Sequence[int]) -> str:
        decoded: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return decoded.strip()

    def _with_learned(self, pieces: list[tuple[str, bool]], messages: Sequence[Message], image_tokens: int) -> Tokens:
        expanded = [(self._expand(text, (), image_tokens), learned) for text, learned in pieces]
        encoded = self._tokenize("".join(text for text, _ in expanded), return_offsets_mapping=True)
        ends: list[tuple[int, bool]] = []
        length = 0
        for text, learned in expanded:
            length += len(text)
            ends.append((length, learned))
        marks: list[bool] = []
        piece = 0
        for start, end in encoded["offset_mapping"]:
            # A token belongs to the piece that its last character lies in: a space before a word is part of the word.
            while piece < len(ends) - 1 and max(start, end - 1) >= ends[piece][0]:
                piece += 1
            marks.append(ends[piece][1] if ends else False)
        self._check(encoded["input_ids"], messages, image_tokens)
        return Tokens(list(encoded["input_ids"]), marks)

    def _render(self, messages: Sequence[Message], *, generate: bool) -> str:
        for message in messages:
            for token in self._reserved:
                if token in message.text:
                    raise PlaceholderError(f"the text contains {token!r}, which stands for an image")
        rows = [{"role": message.role, "content": self._content(message)} for message in messages]
        rendered: str = self._processor.apply_chat_template(
            rows, chat_template=self._template, tokenize=False, add_generation_prompt=generate
        )
        return rendered

    def _content(self, message: Message) -> list[dict[str, str]]:
        return ([{"type": "image"}] if message.image else []) + [{"type": "text", "text": message.text}]

    def _expand(self, text: str, messages: Sequence[Message], image_tokens: int) -> str:
        return text.replace(self.image_token, self._image_text.of(image_tokens))

    def _tokenize(self, text: str, **options: Any) -> Any:
        # As the processor does it: a template that writes the first token itself must not get a second one.
        first = self._tokenizer.bos_token
        add = not (first is not None and text.startswith(first))
        return self._tokenizer(text, add_special_tokens=add, **options)

    def _check(self, ids: Sequence[int], messages: Sequence[Message], image_tokens: int) -> None:
        wanted = sum(message.image for message in messages) * image_tokens
        found = sum(token == self.image_token_id for token in ids)
        if found != wanted:
            raise StageError(
                "MODEL_INVALID",
                f"the chat template wrote {found} image tokens where the image has {wanted}",
                "chat_template",
                "the template must put the image placeholder into the user's turn",
            )
