from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from mortise import AsyncMortise, Mortise

from .blocking import Blocking
from .fault_server import FaultServer, Step
from .mortise_server import MortiseServer, RunningServer


@pytest.fixture(scope="session")
def server() -> Iterator[MortiseServer]:
    """A real server, which all tests share."""
    with RunningServer() as running:
        yield running


@dataclass
class Connector:
    """Makes clients of one kind. Their waits between attempts are recorded, and do not wait."""

    is_async: bool
    loop: asyncio.AbstractEventLoop
    pauses: list[float] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def __call__(self, url: str, credential: Any, **options: Any) -> Any:
        if self.is_async:

            async def sleep(seconds: float) -> None:
                self.pauses.append(seconds)

            client: Any = Blocking(AsyncMortise(url, credential, **({"sleep": sleep} | options)), self.loop)
        else:
            client = Mortise(url, credential, **({"sleep": self.pauses.append} | options))
        self.clients.append(client)
        return client


@pytest.fixture(params=["threads", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connector]:
    """Makes clients for threads and, in a second run of the test, clients for asyncio."""
    loop = asyncio.new_event_loop()
    connector = Connector(request.param == "asyncio", loop)
    yield connector
    for client in connector.clients:
        client.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def faults() -> Iterator[Callable[..., FaultServer]]:
    """Starts servers that answer by a script."""
    servers: list[FaultServer] = []

    def start(*steps: Step, tls: ssl.SSLContext | None = None) -> FaultServer:
        servers.append(FaultServer(list(steps), tls).__enter__())
        return servers[-1]

    yield start
    for running in servers:
        running.__exit__()
