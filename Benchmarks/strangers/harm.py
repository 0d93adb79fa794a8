"""The clients of the other tenant: each act does what one caller can do to hurt others, as hard as it can.

The input is a JSON object with the name of the act and what it needs. The act ends with the input, and then prints how
often each answer came. It runs only while nothing else wants the processor, because the clients of a server usually have
processors of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import resource
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "History"))
from clients import given_facts  # noqa: E402
from connections import Connection, Lost, request  # noqa: E402
from tenants import BODY, unknown_token  # noqa: E402

PATIENCE = 60.0
# The pause after a connection that was refused, which otherwise would make a busy loop.
PAUSE = 0.01
# The bytes that a client takes before it stops to read.
WINDOW = 4096


class Held(asyncio.Protocol):
    """A connection that ignores what comes."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def write(self, data: bytes) -> None:
        """Sends bytes."""
        assert self.transport
        self.transport.write(data)


class Harm:
    """The acts, and what came of them."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.address = (facts["host"], facts["port"])
        self.counts: Counter[str] = Counter()

    # The ways to send

    async def connect(self) -> Connection | None:
        """Opens a connection, or pauses if it is refused."""
        try:
            return (await asyncio.get_running_loop().create_connection(Connection, *self.address))[1]
        except OSError as error:
            self.counts[type(error).__name__] += 1
            await asyncio.sleep(PAUSE)
            return None

    async def repeat(self, requests: Iterator[bytes]) -> None:
        """Sends one request after the other, over one connection as long as it is open."""
        connection = None
        for data in requests:
            while not (connection and connection.is_open):
                connection = await self.connect()
            try:
                self.counts[str((await connection.send(data, PATIENCE)).status)] += 1
            except Lost:
                self.counts["lost"] += 1

    async def hold(self, data: bytes) -> Held:
        """Opens a connection that reads and does nothing else, and sends the beginning of a request."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                held = (await loop.create_connection(Held, *self.address))[1]
            except OSError as error:
                self.counts[type(error).__name__] += 1
                await asyncio.sleep(PAUSE)
            else:
                held.write(data)
                return held

    async def flood(self, clients: int, requests: Callable[[int], Iterator[bytes]]) -> None:
        """Sends requests over several connections at once."""
        await asyncio.gather(*[self.repeat(requests(number)) for number in range(clients)])

    def unknown(self, genuine: str) -> str:
        """A token that no memory has."""
        return unknown_token(genuine, random.randrange(10**BODY))

    # The acts

    async def parameters(self) -> None:
        """B1: repeats a query parameter, beyond the limit of a head, within it, and within the limit of parameters."""
        heads = [
            request("GET", "/clerk/v1/api_keys?" + "&".join(["query="] * repeats), self.facts["admin"])
            for repeats in [11_000, 8_000, 100]
        ]
        await self.flood(12, lambda number: itertools.repeat(heads[number % len(heads)]))

    async def errors(self) -> None:
        """B2: makes log lines, by a workspace without a database and by lists of keys."""
        admin, workspace = self.facts["admin"], self.facts["workspace"]
        fault = request("POST", "/v1/verify", admin, {"token": self.facts["broken"]})
        page = request("GET", f"/v1/workspaces/{workspace}/service-keys?limit=1", admin)
        await self.flood(8, lambda number: itertools.repeat(page if number % 2 else fault))

    async def look_ups(self) -> None:
        """B3: verifies tokens of a workspace, of which the memory has none."""
        tokens = self.facts["tokens"]

        def requests(_: int) -> Iterator[bytes]:
            for token in itertools.cycle(tokens):
                yield request("POST", "/v1/verify", self.facts["admin"], {"token": token})
                yield request("POST", "/v1/verify", self.facts["admin"], {"token": self.unknown(token)})

        await self.flood(8, requests)

    async def batches(self) -> None:
        """B4: verifies batches over many workspaces, half of them tokens that no memory has."""
        tokens = self.facts["tokens"]

        def requests(_: int) -> Iterator[bytes]:
            genuine = itertools.cycle(tokens)
            while True:
                batch = [next(genuine) for _ in range(100)]
                texts = [self.unknown(token) if number % 2 else token for number, token in enumerate(batch)]
                body = {"requests": [{"token": text} for text in texts]}
                yield request("POST", "/v1/verify/batch", self.facts["admin"], body)

        await self.flood(4, requests)

    async def lists(self) -> None:
        """B5: reads a member's list of fat keys."""
        head = request("GET", "/api/v1/client-keys", self.facts["session"])
        await self.flood(4, lambda _: itertools.repeat(head))

    async def workspaces(self) -> None:
        """B5: creates workspaces."""
        path = f"/v1/organizations/{self.facts['organization']}/workspaces"

        def requests(number: int) -> Iterator[bytes]:
            for count in itertools.count():
                yield request("POST", path, self.facts["admin"], {"name": f"Harm {os.getpid()} {number} {count}"})

        await self.flood(8, requests)

    async def unread(self) -> None:
        """B6: clients that never read a large answer."""
        head = request("GET", "/api/v1/client-keys", self.facts["session"])

        async def client() -> None:
            loop = asyncio.get_running_loop()
            while True:
                with socket.socket() as line:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
                    line.setblocking(False)
                    await loop.sock_connect(line, self.address)
                    await loop.sock_sendall(line, head)
                    self.counts["unread answers"] += 1
                    # The server closes the connection, which shows only in what is sent.
                    with contextlib.suppress(OSError):
                        while True:
                            await asyncio.sleep(1)
                            await loop.sock_sendall(line, b"\r\n")

        await asyncio.gather(*[client() for _ in range(5)])

    async def drips(self) -> None:
        """B6: bodies of which a byte a second comes, to operations that read one and to others."""
        admin = self.facts["admin"]
        heads = [
            f"POST /v1/verify HTTP/1.1\r\nHost: mortise\r\nAuthorization: Bearer {admin}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: mortise\r\nContent-Length: 1000\r\n\r\n",
        ]

        async def drip(number: int) -> None:
            while True:
                held = await self.hold(heads[number % len(heads)].encode())
                self.counts["dripped bodies"] += 1
                while not held.ended.done():
                    held.write(b" ")
                    await asyncio.wait([held.ended], timeout=1)

        await asyncio.gather(*[drip(number) for number in range(100)])

    async def connections(self) -> None:
        """B6: opens more connections than the server allows, of which a half has sent the beginning of a head."""
        places = asyncio.Semaphore(64)

        async def keep(number: int) -> None:
            while True:
                async with places:
                    held = await self.hold(b"GET /healthz HTTP/1.1\r\nHost: mor" if number % 2 else b"")
                self.counts["connections"] += 1
                await held.ended
                self.counts["closed"] += 1

        await asyncio.gather(*[keep(number) for number in range(self.facts["connections"])])

    async def run(self) -> None:
        """Carries out the act until the input ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        act: Callable[[], Awaitable[None]] = getattr(self, self.facts["act"])
        acting = asyncio.ensure_future(act())
        ending = asyncio.ensure_future(reader.read())
        await asyncio.wait([acting, ending], return_when=asyncio.FIRST_COMPLETED)
        if acting.done():
            acting.result()
        print(json.dumps(self.counts), flush=True)
        # The connections end with the process.
        os._exit(0)


def main() -> None:
    """Reads what the act needs, and carries it out."""
    # A process of low priority keeps the processor to the end of its slice, for milliseconds; one of this policy does not.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(Harm(given_facts()).run())


if __name__ == "__main__":
    main()
