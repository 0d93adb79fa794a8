"""Reads the JSON of a response into the dataclasses of `_models`, whose fields have the names of the API."""

from __future__ import annotations

import dataclasses
import functools
import re
import types
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ._secret import SecretToken

Value = TypeVar("Value")


class DecodeError(Exception):
    """A member of a response is missing or has the wrong type. The text quotes the place, never the value."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place or 'the body'} is not {expected}")


def decode(cls: type[Value], value: object, place: str = "") -> Value:
    """Returns the dataclass with the members of an object.

    Unknown members are ignored, so that a newer server does not break an older client. An absent member counts as null.
    """
    if not isinstance(value, dict):
        raise DecodeError(place, "an object")
    arguments = {name: _read(hint, value.get(name), f"{place}/{name}") for name, hint in _fields(cast(Hashable, cls))}
    return cls(**arguments)


def decode_list(cls: type[Value], value: object, place: str) -> tuple[Value, ...]:
    """Returns the dataclasses with the elements of an array."""
    if not isinstance(value, list):
        raise DecodeError(place, "an array")
    return tuple(decode(cls, element, f"{place}/{index}") for index, element in enumerate(value))


@functools.cache
def _fields(cls: Hashable) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(cast(Any, cls))
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(cast(Any, cls)))


def _read(hint: Any, value: object, place: str) -> object:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (choice for choice in get_args(hint) if choice is not type(None))
        return None if value is None else _read(inner, value, place)
    if origin is tuple:
        if not isinstance(value, list):
            raise DecodeError(place, "an array")
        item = get_args(hint)[0]
        return tuple(_read(item, element, f"{place}/{index}") for index, element in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise DecodeError(place, "an object")
        return value
    if dataclasses.is_dataclass(hint):
        return decode(cast("type[Any]", hint), value, place)
    if hint is bool:
        if not isinstance(value, bool):
            raise DecodeError(place, "true or false")
        return value
    if hint is int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise DecodeError(place, "an integer")
        return value
    if not isinstance(value, str):
        raise DecodeError(place, "a string")
    if hint is datetime:
        return _time(value, place)
    return SecretToken(value) if hint is SecretToken else value


# `datetime.fromisoformat` of Python 3.10 reads neither `Z` nor fractions of any length.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


def _time(text: str, place: str) -> datetime:
    """Returns the time that an RFC 3339 text names, to the microsecond, which is all that the server keeps."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise DecodeError(place, "a time")
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        zone = timezone.utc
        if sign:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            zone = timezone(-offset if sign == "-" else offset)
        microsecond = int((fraction or "").ljust(6, "0")[:6])
        time = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone, microsecond=microsecond)
        return time.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise DecodeError(place, "a time") from None
