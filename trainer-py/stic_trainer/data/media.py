"""What in a row says that it is about media that are not read: such a row must not be trained on as if it were text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_MEDIA = {"image", "img", "picture", "pic", "photo", "frame", "visual", "figure", "pixel"}
_MEDIA |= {"video", "clip", "movie", "audio", "sound", "speech", "voice", "wav", "media", "multimedia"}

# Beside a readable image, a field with one of these words in its name describes it and holds no other.
_ABOUT = {
    *("id", "ids", "url", "uri", "link", "source", "src", "license", "author", "date", "hash", "sha", "md5"),
    *("caption", "captions", "description", "title", "label", "labels", "tag", "tags", "type", "format", "split"),
    *("size", "width", "height", "dim", "dims", "resolution", "shape", "ratio", "area"),
    *("num", "number", "count", "has", "is", "token", "tokens"),
}

# Placeholders of LLaVA (<ImageHere>, <image-placeholder>), Qwen (<|image_pad|>), Gemma (<start_of_image>), InternVL (<IMG_CONTEXT>),
# ms-swift (<video>, <audio>) and others. <image> is read elsewhere.
_PLACEHOLDER = re.compile(
    r"<(?!(?-i:image>))\|?(?:(?:start|end|begin)_of_)?(?:image|img|video|audio|speech|picture|vision)s?"
    r"(?:[-_ ]?(?:placeholder|here|pad|token|start|end|context|bos|eos|soft_token|\d+))?\|?>",
    re.IGNORECASE,
)


def unread_field(fields: Mapping[str, object], image: str | None) -> str | None:
    """Says which of the fields names media that is not read; None when none does.

    ``image``: the one that is read. Beside it fields about it (its URL, size, number, ...) say nothing new.
    """
    for key, value in fields.items():
        words = {word.lower() for word in _WORDS.findall(key)}
        singular = words | {word.removesuffix("s") for word in words}
        if not singular & _MEDIA or not value:
            continue
        if image is not None and (words & _ABOUT or _same_file(value, image)):
            continue
        return f"field {key} names media that is not read; a row may have one image, in the field image"
    return None


def unread_placeholder(field: str, text: str) -> str | None:
    """Says which placeholder of media that is not read ``text`` holds; None without one. A closed element is HTML, hence text."""
    for found in _PLACEHOLDER.finditer(text):
        name = re.sub(r"\W", "", found.group())
        if name.lower() not in ("image", "img") and f"</{name}>" in text:
            continue
        return f"field {field} holds {found.group()}, a placeholder of media that is not read"
    return None


def _same_file(value: object, image: str) -> bool:
    return isinstance(value, str) and PurePosixPath(value.replace("\\", "/")).name == PurePosixPath(image.replace("\\", "/")).name
