"""The connections of the two clients: they perform the steps of an exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx

from ._attempt import FAILURES, Body, Deadline, build_request, failure
from ._calls import Call, Listing
from ._credentials import AsyncCredential, SyncCredential
from ._exchange import Answer, Authorize, Failure, Pause, Policy, Send, exchange
from ._pages import AsyncPages, Pages

Result = TypeVar("Result")
Item = TypeVar("Item")


@dataclass(frozen=True, repr=False)
class SyncConnection:
    """Performs the calls of a `Mortise`."""

    policy: Policy
    http: httpx.Client
    credential: SyncCredential
    sleep: Callable[[float], None]

    def with_credential(self, credential: SyncCredential) -> SyncConnection:
        """Returns this connection with another credential."""
        return replace(self, credential=credential)

    def pages(self, listing: Listing[Item]) -> Pages[Item]:
        """Returns the list as an iterable."""
        return Pages(listing, self)

    def run(self, call: Call[Result]) -> Result:
        """Makes a call and returns its result."""
        steps = exchange(call, self.policy)
        done: object = None
        while True:
            try:
                step = steps.send(done)
            except StopIteration as end:
                result: Result = end.value
                return result
            match step:
                case Authorize():
                    done = self.credential.token(step.rejected)
                case Send():
                    done = self._send(step)
                case Pause():
                    self.sleep(step.seconds)
                    done = None

    def _send(self, send: Send) -> Answer | Failure:
        deadline = Deadline(send.limit)
        extensions = deadline.extensions | {"trace": lambda name, info: deadline.reduce()}
        body = Body(deadline)
        try:
            request = build_request(self.http, send, extensions)
            response = self.http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                for chunk in response.iter_bytes():
                    body.add(chunk)
            finally:
                response.close()
            return body.answer(response)
        except FAILURES as error:
            return failure(error)


@dataclass(frozen=True, repr=False)
class AsyncConnection:
    """Performs the calls of an `AsyncMortise`."""

    policy: Policy
    http: httpx.AsyncClient
    credential: AsyncCredential
    sleep: Callable[[float], Awaitable[None]]

    def with_credential(self, credential: AsyncCredential) -> AsyncConnection:
        """Returns this connection with another credential."""
        return replace(self, credential=credential)

    def pages(self, listing: Listing[Item]) -> AsyncPages[Item]:
        """Returns the list as an asynchronous iterable."""
        return AsyncPages(listing, self)

    async def run(self, call: Call[Result]) -> Result:
        """Makes a call and returns its result."""
        steps = exchange(call, self.policy)
        done: object = None
        while True:
            try:
                step = steps.send(done)
            except StopIteration as end:
                result: Result = end.value
                return result
            match step:
                case Authorize():
                    done = await self.credential.token(step.rejected)
                case Send():
                    done = await self._send(step)
                case Pause():
                    await self.sleep(step.seconds)
                    done = None

    async def _send(self, send: Send) -> Answer | Failure:
        deadline = Deadline(send.limit)

        async def trace(name: str, info: object) -> None:
            deadline.reduce()

        body = Body(deadline)
        try:
            request = build_request(self.http, send, deadline.extensions | {"trace": trace})
            response = await self.http.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
            finally:
                await response.aclose()
            return body.answer(response)
        except FAILURES as error:
            return failure(error)
