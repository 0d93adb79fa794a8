"""The programs of this folder: the stranger and the clients of the other tenant."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from installation import Failed

HERE = Path(__file__).resolve().parent
# The outcomes of the stranger's requests that succeeded.
SUCCESSES = ("valid", "200")


def given_facts() -> dict[str, Any]:
    """The JSON that a client was started with. Its event loop reads what comes after it."""
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(sys.stdin.fileno(), 1)
    found: dict[str, Any] = json.loads(line)
    return found


@dataclass
class Span:
    """The requests of the stranger that were due in a time."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Span) -> Span:
        kinds = {*self.milliseconds, *other.milliseconds}
        both = {kind: self.milliseconds.get(kind, []) + other.milliseconds.get(kind, []) for kind in kinds}
        return Span(both, self.faults + other.faults)

    def percentile(self, kind: str, part: float) -> float:
        """The smallest latency that is not below a part of all."""
        values = sorted(self.milliseconds.get(kind, []))
        if not values:
            raise Failed(f"the stranger sent no request of the kind {kind}")
        return values[math.ceil(part * len(values)) - 1]

    def text(self, kind: str) -> str:
        """The latencies of a kind of request."""
        return f"p50 {self.percentile(kind, 0.5):.2f}, p99 {self.percentile(kind, 0.99):.2f}, " + (
            f"at most {self.percentile(kind, 1):.1f} ms"
        )


class Client:
    """A program that reads JSON, and runs until its input ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout
        self.process, self.input, self.output = process, process.stdin, process.stdout

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, name: str, given: dict[str, Any]) -> AsyncIterator[Client]:
        """Runs a program while the body runs."""
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, str(HERE / name)]
        client = cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))
        try:
            client.write(json.dumps(given))
            yield client
        finally:
            if client.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    client.process.kill()
                await client.process.wait()

    def write(self, line: str) -> None:
        """Sends a line."""
        self.input.write(f"{line}\n".encode())

    async def end(self) -> Counter[str]:
        """Ends a client of the other tenant. Returns how often each answer came."""
        self.input.close()
        output = await self.output.read()
        if status := await self.process.wait():
            raise Failed(f"a client ended with {status}")
        return Counter(json.loads(output))


class Stranger:
    """The stranger, and what it has told."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.told: list[tuple[str, float, float, str]] = []
        self.marked = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while line := await self.client.output.readline():
            kind, *rest = line.decode().split()
            if rest:
                due, milliseconds, outcome = rest
                self.told.append((kind, float(due), float(milliseconds), outcome))
            else:
                self.marked.set()

    @contextlib.asynccontextmanager
    async def watched(self, *, changes: bool = False) -> AsyncIterator[Span]:
        """The requests that are due while the body runs. They have all ended after it."""
        span = Span()
        self.told.clear()
        if changes:
            self.client.write("changes on")
        begin = time.monotonic()
        yield span
        end = time.monotonic()
        if changes:
            self.client.write("changes off")
        self.marked.clear()
        self.client.write("mark")
        marks = asyncio.create_task(self.marked.wait())
        await asyncio.wait([marks, self.reading], return_when=asyncio.FIRST_COMPLETED)
        if not self.marked.is_set():
            raise Failed("the stranger's program has ended")
        for kind, due, milliseconds, outcome in self.told:
            if begin <= due < end:
                span.milliseconds.setdefault(kind, []).append(milliseconds)
                if outcome not in SUCCESSES:
                    span.faults[f"{kind}: {outcome}"] += 1

    async def span(self, seconds: float, *, changes: bool = False) -> Span:
        """The requests that are due within the next seconds."""
        async with self.watched(changes=changes) as span:
            await asyncio.sleep(seconds)
        return span
