"""Makes the client for asyncio callable like the client for threads, so that one test tests both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

from mortise import AsyncPages
from mortise._calls import AsyncGroup


class Blocking:
    """An asynchronous client, or a part of one, whose calls block until they return."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.target = target
        self._loop = loop

    def __repr__(self) -> str:
        return repr(self.target)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.target, name)
        if inspect.isroutine(value):
            return lambda *args, **kwargs: self._finish(value(*args, **kwargs))
        return self._finish(value)

    def __iter__(self) -> Iterator[Any]:
        iterator = aiter(self.target)
        while True:
            try:
                yield self._loop.run_until_complete(anext(iterator))
            except StopAsyncIteration:
                return

    def _finish(self, value: Any) -> Any:
        if inspect.isawaitable(value):
            value = self._loop.run_until_complete(value)
        return Blocking(value, self._loop) if isinstance(value, AsyncGroup | AsyncPages) else value
