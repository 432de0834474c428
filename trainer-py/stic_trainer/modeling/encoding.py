"""Text as token ids exactly as the library's tokenizer gives them, with control tokens in the template's words only.

A control token that a message's text spells out ("Use </s> to end") is text. Such a conversation is read by a copy of the tokenizer
in which the control tokens have other names: the template's are written by those names, and the message's are ordinary characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from tokenizers import Tokenizer

from stic_trainer.modeling.rendering import TextError

_NAME = "\U0010ffff"  # a noncharacter of Unicode


class Kind(IntEnum):
    TEMPLATE = 0
    """Written by the template."""
    TEXT = 1
    """A message's text that is not learned."""
    BLANK = 2
    """Whitespace that the template writes around an answer, and that generation has to write too."""
    ANSWER = 3
    END = 4
    """The one token at which generation stops."""


_OURS = (Kind.TEMPLATE, Kind.BLANK, Kind.END)


@dataclass(frozen=True)
class Part:
    text: str
    kind: Kind


class Encoder:
    def __init__(self, tokenizer: Any, controls: Mapping[str, int]) -> None:
        """controls: ids of the tokens that a message's text must not become."""
        self._tokenizer = tokenizer
        self._controls = dict(controls)
        self._ids = frozenset(controls.values())
        # What is not in the vocabulary becomes <unk> in every text.
        self._counted = self._ids - {tokenizer.unk_token_id}
        self._pattern = re.compile("|".join(re.escape(token) for token in sorted(controls, key=len, reverse=True)))

    def encode(self, parts: Sequence[Part]) -> tuple[list[int], list[bool]]:
        """Ids, and which of them are learned. TextError where a text cannot be told from control tokens."""
        ours = [id_ for part in parts if part.kind in _OURS for id_ in self._controls_in(part.text)]
        expected = [id_ for id_ in ours if id_ in self._counted]
        spelled = any(self._pattern.search(part.text) for part in parts if part.kind not in _OURS)
        for renamed in (True,) if spelled else (False, True):
            ids, offsets, mask = self._renamed(parts) if renamed else self._plain(parts)
            # Tokens that the tokenizer puts at the start itself stand for no characters.
            found = [id_ for id_, (start, end) in zip(ids, offsets, strict=True) if id_ in self._counted and end > start]
            if found == expected:
                return ids, [self._learned(id_, start, end, mask) for id_, (start, end) in zip(ids, offsets, strict=True)]
        raise TextError("the tokenizer does not read the text's and the chat template's control tokens as they are written")

    def _controls_in(self, text: str) -> list[int]:
        return [self._controls[token] for token in self._pattern.findall(text)] if self._controls else []

    def _learned(self, id_: int, start: int, end: int, mask: bytes) -> bool:
        """Whether a token is learned, by what its characters are."""
        kinds = mask[start:end] if end > start else mask[max(end - 1, 0) : end]
        if id_ in self._ids and Kind.END in kinds:
            return True
        if id_ in self._counted:
            # It may cover the blanks around it.
            return False
        # A space before an answer's first word is part of the word; blanks that begin in the prompt are the prompt's.
        return Kind.ANSWER in kinds or set(kinds) == {Kind.BLANK}

    def _plain(self, parts: Sequence[Part]) -> tuple[list[int], list[tuple[int, int]], bytes]:
        text, mask = _joined(parts)
        encoded = self._tokenizer(text, add_special_tokens=self._adds_first(text), return_offsets_mapping=True)
        return list(encoded["input_ids"]), list(encoded["offset_mapping"]), mask

    def _renamed(self, parts: Sequence[Part]) -> tuple[list[int], list[tuple[int, int]], bytes]:
        if any(_NAME in part.text for part in parts):
            raise TextError("the text contains U+10FFFF, which is no character, beside a control token")
        text, mask = _joined([Part(self._rename(part.text), part.kind) if part.kind in _OURS else part for part in parts])
        add = self._adds_first("".join(part.text for part in parts))
        encoded = self._renaming_tokenizer.encode(text, add_special_tokens=add)
        return list(encoded.ids), list(encoded.offsets), mask

    def _adds_first(self, text: str) -> bool:
        # As the processor does it: a template that writes the first token itself must not get a second one.
        first = self._tokenizer.bos_token
        return not (first is not None and text.startswith(first))

    def _rename(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._names[match[0]], text)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {token: f"{_NAME}{index}{_NAME}" for index, token in enumerate(self._controls)}

    @cached_property
    def _renaming_tokenizer(self) -> Tokenizer:
        """The same tokenizer with the same ids, where the control tokens are called by ``_names``."""
        names = self._names
        spec = json.loads(self._tokenizer.backend_tokenizer.to_str())
        for added in spec["added_tokens"]:
            added["content"] = names.get(added["content"], added["content"])
        model = spec["model"]
        if isinstance(model["vocab"], dict):
            model["vocab"] = {names.get(token, token): id_ for token, id_ in model["vocab"].items()}
        else:
            model["vocab"] = [[names.get(token, token), score] for token, score in model["vocab"]]
        if "merges" in model:
            # No characters of a text merge into a control token.
            model["merges"] = [pair for pair in model["merges"] if not names.keys() & _made_by(pair)]
        if model.get("unk_token"):
            model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
        renamed: Tokenizer = Tokenizer.from_str(json.dumps(spec))
        renamed.no_truncation()
        renamed.no_padding()
        if any(renamed.token_to_id(names[token]) != id_ for token, id_ in self._controls.items()):
            raise TextError("the text spells out a control token, and the tokenizer's numbering does not let it be read as text")
        return renamed


def _made_by(pair: str | list[str]) -> set[str]:
    left, right = pair.split(" ", 1) if isinstance(pair, str) else pair
    return {left, right, left + right}


def _joined(parts: Iterable[Part]) -> tuple[str, bytes]:
    """The text, and the kind of each of its characters."""
    parts = list(parts)
    return "".join(part.text for part in parts), b"".join(bytes([part.kind]) * len(part.text) for part in parts)
