"""Preference rows as trainers and papers publish them, recognised by their fields and read into one form.

Layouts, by the fields that tell them apart:

- STIC: ``image``, ``chosen`` and ``rejected`` as lists of messages, question included (the paper's pref_data_mscoco.json)
- TRL: ``prompt``, ``chosen`` and ``rejected`` as texts or as lists of messages, ``images``; or both sides with the question in them
- LLaMA-Factory: ``conversations`` (or ``messages``) up to the question, ``chosen`` and ``rejected`` as one message each, ``images``
- LLaVA: ``conversations``, ``chosen`` and ``rejected`` as texts, ``image``
- ms-swift: ``messages`` with the chosen answer last, ``rejected_response`` or ``rejected_messages``, ``images``

A pair is one question about one image and two answers. Whatever else a row says (a system message, earlier turns, other media,
an image that stands behind text) would be lost in it, so such a row is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLACEHOLDER = "<image>"
_OTHER_MEDIA = ("<video>", "<audio>")
_MEDIA_FIELDS = tuple(
    f"{side}{kind}"
    for side in ("", "chosen_", "rejected_")
    for kind in ("image", "images", "video", "videos", "audio", "audios")
    if side or not kind.startswith("image")
)
_CONTEXT_FIELDS = ("system", "history", "tools")
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    role: str
    """user, assistant or system."""
    text: str
    """With a placeholder where the image stands."""


@dataclass(frozen=True)
class PreferenceRow:
    layout: str
    image: str
    """Path as the row has it."""
    prompt: str
    """Without the placeholder: the chat template puts the image first."""
    chosen: str
    rejected: str


class RowRefused(Exception):
    """``code`` as ImportProblem has it, and why."""

    def __init__(self, reason: str, code: str = "ROW_INVALID") -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class _Layout:
    name: str
    fits: Callable[[Row], bool]
    sides: Callable[[Row], tuple[list[Message], list[Message]]]
    """The conversation that ends in the chosen answer and the one that ends in the rejected answer."""


def read_preference(element: object) -> PreferenceRow:
    """The pair a row holds, fields that are null being absent. RowRefused names the layout it was read as and the field."""
    if not isinstance(element, dict):
        raise RowRefused("it is not an object")
    row = {key: value for key, value in element.items() if value is not None}
    layout = next((layout for layout in _LAYOUTS if layout.fits(row)), None)
    if layout is None:
        fields = ", ".join(map(str, element)) or "none"
        raise RowRefused(f"it has no layout of preference pairs that is known; its fields are {shown(fields)}")
    try:
        return _pair(layout, row)
    except RowRefused as refusal:
        raise RowRefused(f"read as {layout.name}: {refusal}", refusal.code) from None


def shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _pair(layout: _Layout, row: Row) -> PreferenceRow:
    for field in (*_MEDIA_FIELDS, *_CONTEXT_FIELDS):
        if row.get(field):
            raise RowRefused(f"field {field} holds {shown(row[field])}, which a pair of one question about one image has no place for")
    image = _image(row)
    prompt, chosen = _question_and_answer("chosen", layout.sides(row)[0])
    other, rejected = _question_and_answer("rejected", layout.sides(row)[1])
    if prompt != other:
        raise RowRefused(f"the sides answer different questions: {shown(prompt)!r} and {shown(other)!r}")
    if chosen.strip() == rejected.strip():
        raise RowRefused("both sides have the same text, so there is nothing to prefer", "EQUAL_SIDES")
    return PreferenceRow(layout.name, image, prompt, chosen, rejected)


def _question_and_answer(side: str, messages: Sequence[Message]) -> tuple[str, str]:
    roles = [message.role for message in messages]
    if "system" in roles:
        raise RowRefused(f"the {side} side has a system message; pairs are trained without one")
    if roles != ["user", "assistant"]:
        turns = ", ".join(roles) or "none"
        raise RowRefused(f"the {side} side has the messages {turns}; only one question and its answer (user, assistant) are supported")
    question, answer = (message.text for message in messages)
    if not answer.strip():
        raise RowRefused(f"the {side} answer is empty", "EMPTY_TEXT")
    if PLACEHOLDER in answer:
        raise RowRefused(f"the {side} answer holds {PLACEHOLDER}; the image belongs to the question")
    return _without_placeholder(question), answer


def _without_placeholder(question: str) -> str:
    for placeholder in _OTHER_MEDIA:
        if placeholder in question:
            raise RowRefused(f"the question holds {placeholder}; only images are supported")
    count = question.count(PLACEHOLDER)
    if count > 1:
        raise RowRefused(f"the question holds {count} images; one a row is supported")
    if count == 1 and not question.lstrip().startswith(PLACEHOLDER):
        raise RowRefused("the image stands behind text in the question; pairs are trained with the image first")
    text = question.lstrip().removeprefix(PLACEHOLDER).lstrip() if count else question
    if not text.strip():
        raise RowRefused("the question is empty", "EMPTY_TEXT")
    return text


def _image(row: Row) -> str:
    """The path of the one image: ``image`` or ``images``, as a path or as {"path": ...}, which `datasets` writes."""
    if "image" in row and "images" in row:
        raise RowRefused("both fields image and images are given")
    field = "image" if "image" in row else "images"
    value = row.get(field)
    images = value if isinstance(value, list) else [] if value is None else [value]
    if len(images) != 1:
        raise RowRefused(f"it has {len(images)} images; one a row is supported" if images else "it has no image")
    image = images[0]
    if isinstance(image, dict) and image.get("bytes") is None:
        image = image.get("path")
    if not isinstance(image, str) or not image:
        raise RowRefused(f"field {field} holds {shown(value)}, not the path of one image")
    if image.startswith(("http://", "https://", "data:")):
        raise RowRefused(f"field {field} holds {shown(image)}; images are read from files only")
    return _text(field, image)


def _messages(field: str, value: object) -> list[Message]:
    if not isinstance(value, list) or not value:
        raise RowRefused(f"field {field} is {shown(value)}, not a list of messages")
    return [_message(f"{field}[{index}]", message) for index, message in enumerate(value)]


def _message(field: str, value: object) -> Message:
    if not isinstance(value, dict):
        raise RowRefused(f"field {field} is {shown(value)}, not a message")
    role_key, text_key = ("from", "value") if "from" in value else ("role", "content")
    role = value.get(role_key)
    if not isinstance(role, str) or role not in _ROLES:
        raise RowRefused(f"field {field}.{role_key} is {shown(role)}; allowed: {', '.join(_ROLES)}")
    return Message(_ROLES[role], _content(f"{field}.{text_key}", value.get(text_key)))


def _content(field: str, value: object) -> str:
    """A text, or parts ({"type": "image"}, {"type": "text", "text": ...}) as one, a placeholder for each image."""
    if isinstance(value, str):
        return _text(field, value)
    if not isinstance(value, list):
        raise RowRefused(f"field {field} is {shown(value)}, not text")
    texts = []
    for index, part in enumerate(value):
        known = {key: item for key, item in part.items() if item is not None} if isinstance(part, dict) else {}
        if known == {"type": "image"}:
            texts.append(PLACEHOLDER)
        elif known.keys() == {"type", "text"} and known["type"] == "text" and isinstance(known["text"], str):
            texts.append(_text(f"{field}[{index}].text", known["text"]))
        else:
            raise RowRefused(f"field {field}[{index}] is {shown(part)}; allowed: an image without more, or text")
    return "".join(texts)


def _text(field: str, value: str) -> str:
    """The value, once it is text that UTF-8 and a database can hold."""
    if "\x00" in value:
        raise RowRefused(f"field {field} holds a NUL character")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise RowRefused(f"field {field} holds half of a surrogate pair") from None
    return value


def _answer(row: Row, field: str) -> list[Message]:
    value = row[field]
    return [Message("assistant", _text(field, value))] if isinstance(value, str) else _messages(field, value)


def _stic(row: Row) -> tuple[list[Message], list[Message]]:
    return _messages("chosen", row["chosen"]), _messages("rejected", row["rejected"])


def _trl(row: Row) -> tuple[list[Message], list[Message]]:
    prompt = row.get("prompt", [])
    asked = [Message("user", _text("prompt", prompt))] if isinstance(prompt, str) else _messages("prompt", prompt) if prompt else []
    return asked + _answer(row, "chosen"), asked + _answer(row, "rejected")


def _llama_factory(row: Row) -> tuple[list[Message], list[Message]]:
    asked = _conversation(row)
    return [*asked, _message("chosen", row["chosen"])], [*asked, _message("rejected", row["rejected"])]


def _llava(row: Row) -> tuple[list[Message], list[Message]]:
    asked = _conversation(row)
    if asked[-1].role == "assistant":
        if asked[-1].text != row["chosen"]:
            raise RowRefused("the conversation ends in another answer than chosen")
        asked = asked[:-1]
    return asked + _answer(row, "chosen"), asked + _answer(row, "rejected")


def _swift(row: Row) -> tuple[list[Message], list[Message]]:
    chosen = _messages("messages", row["messages"])
    if "rejected_response" not in row:
        return chosen, _messages("rejected_messages", row["rejected_messages"])
    if "rejected_messages" in row:
        raise RowRefused("both fields rejected_response and rejected_messages are given")
    if not isinstance(row["rejected_response"], str):
        raise RowRefused(f"field rejected_response is {shown(row['rejected_response'])}, not text")
    return chosen, chosen[:-1] + _answer(row, "rejected_response")


def _conversation(row: Row) -> list[Message]:
    field = "conversations" if "conversations" in row else "messages"
    return _messages(field, row[field])


def _both(row: Row, kind: type | tuple[type, ...]) -> bool:
    return isinstance(row.get("chosen"), kind) and isinstance(row.get("rejected"), kind)


def _asked(row: Row) -> bool:
    return "conversations" in row or "messages" in row


_LAYOUTS = (
    _Layout("ms-swift", lambda row: "messages" in row and ("rejected_response" in row or "rejected_messages" in row), _swift),
    _Layout("LLaMA-Factory", lambda row: _asked(row) and _both(row, dict), _llama_factory),
    _Layout("LLaVA", lambda row: _asked(row) and _both(row, str), _llava),
    _Layout("STIC", lambda row: "image" in row and "prompt" not in row and not _asked(row) and _both(row, list), _stic),
    _Layout("TRL", lambda row: not _asked(row) and (_both(row, list) or ("prompt" in row and _both(row, (list, str)))), _trl),
)
