"""Conversations as token ids, through the model's own chat template, with the assistant's tokens known.

The image placeholder is put in by the template, first in the user's turn, and becomes as many image tokens as the image has
features, so the two cannot disagree. What is learned of an assistant's turn is what generation writes: from the end of the
generation prompt to the one token at which generation stops. The rest is context, as the template writes it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stic_trainer.errors import StageError
from stic_trainer.modeling.encoding import Encoder, Kind, Part
from stic_trainer.modeling.image_text import read_image_text
from stic_trainer.modeling.rendering import Message, PlaceholderError, Renderer, TextError
from stic_trainer.modeling.template import no_template, template_hash

__all__ = ["Chat", "Message", "PlaceholderError", "TextError", "Tokens"]

_FIRST_TURN = (Message("user", "a", image=True), Message("assistant", "b"))
_TWO_TURNS = (*_FIRST_TURN, Message("user", "c"), Message("assistant", "d"))


@dataclass(frozen=True)
class Tokens:
    """``ids`` of a conversation up to its last answer's end; ``learned`` says which of them generation would write."""

    ids: list[int]
    learned: list[bool]


@dataclass(frozen=True)
class _TurnEnd:
    token: str
    """The token that ends an assistant's turn."""
    written: str
    """What the template writes for it: mostly the token itself, "" for nothing."""
    blank: str = ""
    """Whitespace that the template writes in place of an end."""


class Chat:
    """``warnings``: what was corrected in the template's end of turn, for people. ``end_id``: the token that ends a turn."""

    def __init__(self, processor: Any, folder: Path, stop_ids: Sequence[int] = ()) -> None:
        """stop_ids: ids at which the model's generation settings stop, besides the tokenizer's end-of-text token.

        StageError MODEL_INVALID names what is wrong with template or tokenizer.
        """
        template = processor.chat_template
        if isinstance(template, dict):
            template = template.get("default")
        if not isinstance(template, str):
            raise no_template(folder)
        self.template_hash = template_hash(template)
        self._tokenizer = processor.tokenizer
        self.image_token: str = processor.image_token
        self.image_token_id: int = processor.image_token_ids[0]
        self._image_text = read_image_text(processor)
        self._reserved = tuple(dict.fromkeys([self.image_token, self._image_text.token]))
        if self._tokenizer.eos_token is None or not self._tokenizer.is_fast:
            raise StageError("MODEL_INVALID", "the tokenizer has no end-of-text token or is not a fast one", str(folder))
        self.warnings: tuple[str, ...] = ()
        try:
            self._renderer = Renderer(processor, template)
            self._lead = self._read_lead()
            self._end = self._read_end(frozenset(stop_ids))
            self._encoder = Encoder(self._tokenizer, self._control_tokens(template, stop_ids))
            self._encoder.encode(self._expand(self._parts(_TWO_TURNS, generate=False), 1))
        except TextError as error:
            raise _invalid(str(error)) from error
        self.end_id: int = self._tokenizer.convert_tokens_to_ids(self._end.token)

    def prompt(self, messages: Sequence[Message], image_tokens: int) -> list[int]:
        """Ids up to where the assistant begins to write. TextError for texts that cannot be written."""
        return self._encode(messages, image_tokens, generate=True).ids

    def conversation(self, messages: Sequence[Message], image_tokens: int) -> Tokens:
        """Ids up to the end of the last answer. An answer ends with an end token even where the template omits it.

        TextError for texts that cannot be written.
        """
        answers = [index for index, message in enumerate(messages) if message.role == "assistant"]
        if not answers:
            raise TextError("the conversation has no assistant's turn")
        return self._encode(messages[: answers[-1] + 1], image_tokens, generate=False)

    def text(self, ids: Sequence[int]) -> str:
        decoded: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return decoded.strip()

    def _encode(self, messages: Sequence[Message], image_tokens: int, *, generate: bool) -> Tokens:
        for message in messages:
            for token in self._reserved:
                if token in message.text:
                    raise PlaceholderError(f"the text contains {token!r}, which stands for an image")
        ids, learned = self._encoder.encode(self._expand(self._parts(messages, generate=generate), image_tokens))
        self._check(ids, messages, image_tokens)
        return Tokens(ids, learned)

    def _parts(self, messages: Sequence[Message], *, generate: bool) -> list[Part]:
        """The conversation in parts; without ``generate``, nothing behind the last answer's end."""
        behind, *written = self._renderer.write(messages, generate=generate)
        parts: list[Part] = []
        for message, text, after in zip(messages, written[::2], written[1::2], strict=True):
            if message.role != "assistant":
                parts += [Part(behind, Kind.TEMPLATE), Part(text, Kind.TEXT)]
                behind = after
                continue
            lead = self._lead if behind.endswith(self._lead) else ""
            blank, end, rest = self._split_end(after, last=not generate and message is messages[-1])
            parts += [Part(behind.removesuffix(lead), Kind.TEMPLATE), Part(lead, Kind.BLANK), Part(text, Kind.ANSWER)]
            parts += [Part(blank, Kind.BLANK), Part(end, Kind.END)]
            behind = rest
        parts += [Part(behind, Kind.TEMPLATE)] if generate else []
        if self._end.written in ("", self._end.token):
            return parts
        # A template that misspells the end of an answer may end the other turns with it too.
        return [
            Part(part.text.replace(self._end.written, self._end.token), part.kind) if part.kind == Kind.TEMPLATE else part for part in parts
        ]

    def _split_end(self, after: str, *, last: bool) -> tuple[str, str, str]:
        """What the template writes behind an answer, as blanks, end token, and the rest. last: no turn follows."""
        rest = after.lstrip()
        if self._end.written and rest.startswith(self._end.written):
            return after.removesuffix(rest), self._end.token, rest.removeprefix(self._end.written)
        if rest.startswith(self._end.token):
            return after.removesuffix(rest), self._end.token, rest.removeprefix(self._end.token)
        if last and rest:
            raise TextError(f"the chat template ends this conversation with {rest!r}, others with {self._end.written!r}")
        return "", self._end.token, after.removeprefix(self._end.blank)

    def _read_lead(self) -> str:
        """Whitespace that the template writes between generation prompt and answer. TextError where it writes anything else."""
        leads = []
        for turns in (_FIRST_TURN, _TWO_TURNS):
            *earlier, before = self._renderer.write(turns[:-1], generate=True)
            *written, turn, _, _ = self._renderer.write(turns, generate=False)
            if written != earlier:
                raise TextError("the chat template rewrites earlier turns, so an answer cannot be told from its prompt")
            blank = turn.removeprefix(before) if turn.startswith(before) else ""
            if turn.split() != before.split():
                raise TextError(f"the generation prompt ends with {before!r}, but the chat template begins an answer with {turn!r}")
            leads.append(blank)
        if leads[0] != leads[1]:
            raise TextError("the chat template begins a later answer in another way than the first")
        return leads[0]

    def _read_end(self, stop_ids: frozenset[int]) -> _TurnEnd:
        """How the template ends an answer. TextError where it writes what cannot be recognised."""
        tail = self._renderer.write(_TWO_TURNS, generate=False)[-1]
        eos: str = self._tokenizer.eos_token
        rest = tail.lstrip()
        if not rest:
            # LLaVA-1.5's template: in training its makers put the end token here.
            return _TurnEnd(eos, "", tail)
        added = {token.content: id_ for id_, token in self._tokenizer.added_tokens_decoder.items()}
        token = max((token for token in added if rest.startswith(token) and token.strip()), key=len, default=None)
        stops = [eos, *(content for content, id_ in added.items() if id_ in stop_ids and content != eos)]
        if token in stops:
            return _TurnEnd(str(token), str(token))
        if token is not None and token not in (*self._reserved, self._tokenizer.bos_token, self._tokenizer.unk_token):
            # Trained to end a turn with, so generation has to stop at it: the folder's generation settings lack it.
            self.warnings = (
                f"the chat template ends an answer with {token!r}, which the generation settings lack; generation stops at it",
            )
            return _TurnEnd(token, token)
        word = rest.split()[0]
        for stop in stops:
            if token is None and _misspells(word, stop):
                self.warnings = (f"the chat template ends an answer with {word!r}, a misspelling of {stop!r}, which is used instead",)
                return _TurnEnd(stop, word)
        raise TextError(f"the chat template ends an answer with {rest!r}, but generation stops at {', '.join(map(repr, stops))}")

    def _control_tokens(self, template: str, stop_ids: Sequence[int]) -> dict[str, int]:
        """Tokens that are never part of a text: special ones, those at which generation stops, and those the template names.

        Other added tokens (runs of blanks, words of markup) are ways to write ordinary text, which decoding keeps.
        """
        written = template + "".join(self._renderer.write(_TWO_TURNS, generate=False))
        return {
            token.content: id_
            for id_, token in self._tokenizer.added_tokens_decoder.items()
            if token.content.strip()
            and (token.special or id_ in stop_ids or token.content in written or re.fullmatch(r"<\|.*\|>", token.content))
        }

    def _expand(self, parts: list[Part], image_tokens: int) -> list[Part]:
        image = self._image_text.of(image_tokens)
        return [Part(part.text.replace(self.image_token, image), part.kind) if part.kind == Kind.TEMPLATE else part for part in parts]

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


def _misspells(word: str, token: str) -> bool:
    """The same letters in other marks ("<\\s>" for "</s>"), or nearly the same characters."""
    same_letters = word[0] == token[0] and _letters(word) == _letters(token) != ""
    return same_letters or difflib.SequenceMatcher(None, word, token).ratio() >= 0.85


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text)).casefold()


def _invalid(message: str) -> StageError:
    return StageError("MODEL_INVALID", message, "chat_template", "use the newest chat template of the model's page on the Hugging Face hub")
