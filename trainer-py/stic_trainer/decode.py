"""Strict reading of JSON into frozen dataclasses: every key known, every field present, every type as declared."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any


class DecodeError(ValueError):
    """``field`` (dotted path, "" for the whole) does not hold what it should; ``reason`` says what it holds and what is allowed."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason

    def below(self, parent: str) -> DecodeError:
        """The same error, seen from one level up."""
        joined = self.field if self.field.startswith("[") or not self.field else f".{self.field}"
        return DecodeError(f"{parent}{joined}", self.reason)


def require(condition: bool, field: str, value: object, allowed: str) -> None:
    """For ``__post_init__``: DecodeError naming the field, its value and what is allowed."""
    if not condition:
        raise DecodeError(field, f"is {value!r}; allowed: {allowed}")


_T = typing.TypeVar("_T")


def decode(cls: type[_T], value: object) -> _T:
    """``value`` (as ``json.loads`` returns it) as a ``cls``: a dataclass, or a type its fields may have."""
    return typing.cast(_T, _decoder(typing.cast(Any, cls))(value))


@cache
def _decoder(kind: Any) -> Callable[[object], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass_decoder(typing.cast(type[Any], kind))
    if origin is tuple:
        return _tuple_decoder(_decoder(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping_decoder(_decoder(arguments[1]))
    if origin is types.UnionType:
        return _union_decoder([None if argument is type(None) else _decoder(argument) for argument in arguments])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _enum_decoder(kind)
    return _SCALARS[kind]


def _dataclass_decoder(cls: type[Any]) -> Callable[[object], Any]:
    hints = typing.get_type_hints(cls)
    fields = [(field.name, _decoder(hints[field.name])) for field in dataclasses.fields(cls)]
    known = frozenset(name for name, _ in fields)

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise DecodeError("", f"is {_shown(value)}, not an object")
        for key in value:
            if key not in known:
                raise DecodeError(str(key), "is not a known field")
        arguments = {}
        for name, decoder in fields:
            if name not in value:
                raise DecodeError(name, "is missing")
            try:
                arguments[name] = decoder(value[name])
            except DecodeError as error:
                raise error.below(name) from None
        return cls(**arguments)

    return read


def _tuple_decoder(inner: Callable[[object], Any]) -> Callable[[object], Any]:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise DecodeError("", f"is {_shown(value)}, not a list")
        items = []
        for index, item in enumerate(value):
            try:
                items.append(inner(item))
            except DecodeError as error:
                raise error.below(f"[{index}]") from None
        return tuple(items)

    return read


def _mapping_decoder(inner: Callable[[object], Any]) -> Callable[[object], Any]:
    def read(value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise DecodeError("", f"is {_shown(value)}, not an object")
        result = {}
        for key, item in value.items():
            try:
                result[key] = inner(item)
            except DecodeError as error:
                raise error.below(key) from None
        return types.MappingProxyType(result)

    return read


def _union_decoder(options: list[Callable[[object], Any] | None]) -> Callable[[object], Any]:
    inner = [option for option in options if option is not None]
    optional = len(inner) < len(options)

    def read(value: object) -> Any:
        if value is None and optional:
            return None
        for option in inner[:-1]:
            with contextlib.suppress(DecodeError):
                return option(value)
        return inner[-1](value)

    return read


def _enum_decoder(cls: type[StrEnum]) -> Callable[[object], Any]:
    def read(value: object) -> StrEnum:
        try:
            return cls(_text(value))
        except ValueError:
            raise DecodeError("", f"is {_shown(value)}; allowed: {', '.join(cls)}") from None

    return read


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise DecodeError("", f"is {_shown(value)}, not text")
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if not (isinstance(value, float) and value.is_integer()):
            raise DecodeError("", f"is {_shown(value)}, not a whole number")
        return int(value)
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DecodeError("", f"is {_shown(value)}, not a finite number")
    return float(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise DecodeError("", f"is {_shown(value)}, not true or false")
    return value


_SCALARS: dict[Any, Callable[[object], Any]] = {str: _text, int: _integer, float: _number, bool: _boolean, Any: lambda value: value}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
