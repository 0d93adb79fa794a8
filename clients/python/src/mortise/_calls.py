"""Calls as values, and the descriptors that turn one declaration of a call into a method of both clients.

A method of a group of calls builds a `Call` or a `Listing` and sends nothing. `operation` and `listing` make the method
send it: the methods of a `SyncGroup` return the result, and the methods of an `AsyncGroup` return a coroutine.
"""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ._decode import decode, decode_list
from ._encode import path_text
from ._models import Page

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection
    from ._pages import AsyncPages, Pages

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")

Segments = list[str]
"""The segments of a path, not percent-encoded."""


@dataclass(frozen=True, eq=False)
class Call(Generic[Result]):
    """One request, and the reader of its response."""

    method: str
    path: str
    read: Callable[[Any], Result]
    """Returns the result from the JSON of the response, which is None for a response without content."""
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    """The `Idempotency-Key` of a creation, with which a repeated request creates nothing twice."""

    def __repr__(self) -> str:
        # Bodies hold tokens and passwords.
        return f"{self.method} {self.path}"

    @property
    def is_read(self) -> bool:
        """True if the request changes nothing."""
        return self.method == "GET"

    @property
    def is_safe_to_repeat(self) -> bool:
        """True if a second request with the same content changes nothing more."""
        return self.is_read or self.idempotency_key is not None


def get(path: Segments, cls: type[Result]) -> Call[Result]:
    """Returns a call that reads a value."""
    return Call("GET", path_text(path), functools.partial(decode, cls))


def post(path: Segments, cls: type[Result], body: Mapping[str, Any] | None = None) -> Call[Result]:
    """Returns a call that is sent again only if nothing was sent."""
    return Call("POST", path_text(path), functools.partial(decode, cls), body=body)


def create(
    path: Segments, cls: type[Result], body: Mapping[str, Any] | None, idempotency_key: str | None
) -> Call[Result]:
    """Returns a call that is sent again under its idempotency key."""
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
    if not key or not all(" " <= character <= "~" for character in key):
        raise ValueError("An idempotency key must be printable ASCII and must not be empty.")
    return Call("POST", path_text(path), functools.partial(decode, cls), body=body, idempotency_key=key)


def patch(path: Segments, cls: type[Result], body: Mapping[str, Any]) -> Call[Result]:
    """Returns a call that changes a value."""
    return Call("PATCH", path_text(path), functools.partial(decode, cls), body=body)


def delete(path: Segments, cls: type[Result], query: tuple[tuple[str, str], ...]) -> Call[Result]:
    """Returns a call that deletes a value and reads what else happened."""
    return Call("DELETE", path_text(path), functools.partial(decode, cls), query=query)


def get_all(path: Segments, item: type[Item]) -> Call[tuple[Item, ...]]:
    """Returns a call that reads a list that has one page."""
    return Call("GET", path_text(path), functools.partial(read_all, item))


def change_all(path: Segments, item: type[Item], body: Mapping[str, Any]) -> Call[tuple[Item, ...]]:
    """Returns a call that changes several values, reads all of them, and is sent again only if nothing was sent."""
    return Call("POST", path_text(path), functools.partial(read_all, item), body=body)


def read_all(item: type[Item], body: Any) -> tuple[Item, ...]:
    """Returns the items of a list that has one page."""
    return decode_list(item, body.get("data") if isinstance(body, dict) else body, "/data")


def run(method: str, path: Segments, body: Mapping[str, Any] | None = None) -> Call[None]:
    """Returns a call whose response has no content."""
    return Call(method, path_text(path), lambda _: None, body=body)


@dataclass(frozen=True, eq=False)
class Listing(Generic[Item]):
    """A list of the API, of which each page is a call."""

    path: Segments
    item: type[Item]
    filters: tuple[tuple[str, str | None], ...]
    page_size: int

    def page(self, cursor: str | None) -> Call[Page[Item]]:
        """Returns the call that reads one page."""
        query = [(name, value) for name, value in self.filters if value is not None]
        query.append(("limit", str(self.page_size)))
        if cursor is not None:
            query.append(("cursor", cursor))
        return Call("GET", path_text(self.path), self._read, query=tuple(query))

    def _read(self, body: Any) -> Page[Item]:
        page: Page[Item] = decode(
            Page, {"items": [], "next_cursor": body.get("next_cursor")} if isinstance(body, dict) else body
        )
        return Page(decode_list(self.item, body.get("data"), "/data"), page.next_cursor)


class SyncGroup:
    """Calls that return their results."""

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection


class AsyncGroup:
    """Calls that return coroutines."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


class operation(Generic[P, Result]):  # noqa: N801 - a decorator
    """A method that sends the call it builds."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[Result]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, group: None, owner: type[Any]) -> Callable[Concatenate[Any, P], Call[Result]]: ...
    @overload
    def __get__(self, group: SyncGroup, owner: type[Any]) -> Callable[P, Result]: ...
    @overload
    def __get__(self, group: AsyncGroup, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, Result]]: ...

    def __get__(self, group: SyncGroup | AsyncGroup | None, owner: type[Any]) -> Any:
        if group is None:
            return self._build
        build = self._build
        # The arguments can be secrets. They are deleted before the call, so that no traceback of an error shows them.
        if isinstance(group, SyncGroup):
            connection = group._connection

            def method(*args: P.args, **kwargs: P.kwargs) -> Result:
                call = build(group, *args, **kwargs)
                del args, kwargs
                return connection.run(call)

            return _described(method, build)
        async_connection = group._connection

        async def async_method(*args: P.args, **kwargs: P.kwargs) -> Result:
            call = build(group, *args, **kwargs)
            del args, kwargs
            return await async_connection.run(call)

        return _described(async_method, build)


class listing(Generic[P, Item]):  # noqa: N801 - a decorator
    """A method that returns the list it builds, which sends nothing before it is iterated."""

    def __init__(self, build: Callable[Concatenate[Any, P], Listing[Item]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, group: None, owner: type[Any]) -> Callable[Concatenate[Any, P], Listing[Item]]: ...
    @overload
    def __get__(self, group: SyncGroup, owner: type[Any]) -> Callable[P, Pages[Item]]: ...
    @overload
    def __get__(self, group: AsyncGroup, owner: type[Any]) -> Callable[P, AsyncPages[Item]]: ...

    def __get__(self, group: SyncGroup | AsyncGroup | None, owner: type[Any]) -> Any:
        if group is None:
            return self._build
        build = self._build

        def method(*args: P.args, **kwargs: P.kwargs) -> Pages[Item] | AsyncPages[Item]:
            return group._connection.pages(build(group, *args, **kwargs))

        return _described(method, build)


def _described(method: Any, build: Callable[..., Any]) -> Any:
    """Returns the method with the name, documentation and parameters of its declaration."""
    method.__name__, method.__qualname__, method.__module__ = build.__name__, build.__qualname__, build.__module__
    method.__doc__ = build.__doc__
    method.__signature__ = _signature(build)
    return method


@functools.cache
def _signature(build: Callable[..., Any]) -> inspect.Signature:
    signature = inspect.signature(build)
    result = str(signature.return_annotation)
    if result.startswith("Call["):
        result = result.removeprefix("Call[").removesuffix("]")
    else:
        result = result.replace("Listing[", "Pages[")
    return signature.replace(parameters=list(signature.parameters.values())[1:], return_annotation=result)
