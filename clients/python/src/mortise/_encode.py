"""Writes the bodies, queries and paths of requests."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal
from urllib.parse import quote

from ._secret import SecretToken


class Keep(enum.Enum):
    """The type of `KEEP`."""

    KEEP = "keep"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final[Literal[Keep.KEEP]] = Keep.KEEP
"""The default of a setting in an update: the setting keeps its value. None removes the setting."""


def members(**values: Any) -> dict[str, Any]:
    """Returns the body of a creation. A member that is None is left out."""
    return {name: value for name, value in values.items() if value is not None}


def changes(**values: Any) -> dict[str, Any]:
    """Returns the body of an update. A member that is `KEEP` is left out, and None is sent as null."""
    return {name: value for name, value in values.items() if value is not KEEP}


def body_text(body: Mapping[str, Any]) -> SecretToken:
    """Returns the JSON of a body, which can hold tokens and passwords.

    The members have the order of their names, because equal content must become equal bytes: the server refuses an
    idempotency key with another body.
    """
    text = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return SecretToken(text)


def _plain(value: object) -> object:
    if isinstance(value, SecretToken):
        return value.reveal()
    if isinstance(value, datetime):
        return time_text(value)
    raise TypeError(f"{type(value).__name__} is not JSON.")


def texts(name: str, values: Iterable[str]) -> list[str]:
    """Returns a list of texts. One text is refused, because its characters would become the list."""
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{name} must be a list of texts, not one text.")
    return list(values)


def time_text(time: datetime) -> str:
    """Returns a time as RFC 3339 in UTC. A time without a zone is refused, because it can mean any of them."""
    if time.tzinfo is None or time.utcoffset() is None:
        raise ValueError("A datetime needs a time zone, for example datetime.now(timezone.utc).")
    return time.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def whole_seconds(period: timedelta | None) -> int | None:
    """Returns the seconds of a period, without fractions."""
    return None if period is None else int(period.total_seconds())


def path_text(segments: Iterable[str]) -> str:
    """Returns a path. Each segment is percent-encoded, so that an id with a slash or dots cannot name another path."""
    return "".join("/" + _segment(segment) for segment in segments)


def _segment(segment: str) -> str:
    if not isinstance(segment, str):
        raise TypeError(f"An id or slug is a str, not {type(segment).__name__}.")
    if not segment:
        raise ValueError("An id or slug must not be empty.")
    if segment in (".", ".."):
        return "%2E" * len(segment)
    return quote(segment, safe="")
