"""HTTP/1.1 connections that are kept open, for one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

# An address of a node: a host with a port, or the path of a Unix socket.
Address = tuple[str, int] | str


class Lost(Exception):
    """A request without an answer: the connection was refused or broke, or the time was over."""


@dataclass(frozen=True)
class Answer:
    """The status and the body of an answer."""

    status: int
    body: bytes
    # The lower-case head, without the empty line at its end.
    head: bytes = b""

    def header(self, name: bytes) -> str:
        """The value of a header, whose name is lower-case, or an empty text."""
        return header(self.head, name).decode()

    def json(self) -> Any:
        """The JSON of the body, or an empty object."""
        try:
            return json.loads(self.body) if self.body else {}
        except ValueError:
            return {}


def header(head: bytes, name: bytes) -> bytes:
    """The value of a header in a head, or nothing."""
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


class Connection(asyncio.Protocol):
    """A connection that sends one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.waiter: asyncio.Future[Answer] | None = None
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        if self.waiter and not self.waiter.done():
            self.waiter.set_exception(Lost())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.buffer[:end]).lower()
        length = int(header(head, b"content-length") or 0)
        if len(self.buffer) < end + 4 + length:
            return
        answer = Answer(int(self.buffer[9:12]), bytes(self.buffer[end + 4 : end + 4 + length]), head)
        del self.buffer[: end + 4 + length]
        if b"\r\nconnection: close" in head:
            self.close()
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(answer)

    def close(self) -> None:
        """Closes the connection."""
        self.is_open = False
        if self.transport:
            self.transport.abort()

    async def send(self, request: bytes, timeout: float) -> Answer:
        """Sends a request and returns the answer."""
        assert self.transport
        if not self.is_open:
            raise Lost()
        loop = asyncio.get_running_loop()
        waiter = self.waiter = loop.create_future()
        self.transport.write(request)
        timer = loop.call_later(timeout, lambda: None if waiter.done() else waiter.set_exception(Lost()))
        try:
            answer: Answer = await waiter
            return answer
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self.waiter = None


class Connections:
    """The idle connections to one address, which can change when a node starts again."""

    MAXIMUM = 48

    def __init__(self, kind: type[Connection] = Connection) -> None:
        self.kind = kind
        self.address: Address | None = None
        self.idle: list[Connection] = []
        self.used = 0

    def move(self, address: Address | None) -> None:
        """Uses another address from now on."""
        self.address = address
        for connection in self.idle:
            connection.close()
        self.idle = []

    async def send(self, request: bytes, timeout: float) -> Answer:
        """Sends a request over an idle connection or a new one.

        Raises:
            Lost: if no answer arrived, or if too many requests wait for one already.
        """
        if self.address is None or self.used >= self.MAXIMUM:
            # A node that is down answers at once that it is. The load must not turn that into a busy loop.
            await asyncio.sleep(0.02)
            raise Lost()
        address = self.address
        self.used += 1
        try:
            connection = await self._connection(address)
            answer = await connection.send(request, timeout)
            if connection.is_open and address == self.address:
                self.idle.append(connection)
            else:
                connection.close()
            return answer
        except OSError as error:
            await asyncio.sleep(0.02)
            raise Lost() from error
        finally:
            self.used -= 1

    async def _connection(self, address: Address) -> Connection:
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                if isinstance(address, str):
                    return (await loop.create_unix_connection(self.kind, address))[1]
                return (await loop.create_connection(self.kind, *address))[1]
        raise Lost()


def request(method: str, path: str, credential: str | None = None, body: object = None, **headers: str) -> bytes:
    """Returns the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: mortise"]
    if credential:
        lines.append(f"Authorization: Bearer {credential}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        lines.append("Content-Type: application/json")
    if body is not None or method != "GET":
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data
