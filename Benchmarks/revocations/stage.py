"""The nodes of the benchmark with keys, and the requests that the measurements share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connections import Answer, Connection, Lost, request
from installation import Failed, Installation, Node, as_postgres, postgres_program

KEYS = "/v1/workspaces/default/service-keys"
# Longer than the longest change, which waits for a silent node.
PATIENCE = 10.0


@dataclass(frozen=True)
class Key:
    """A key and its token."""

    id: str
    token: str


@dataclass
class Commits:
    """The milliseconds of commits that wrote one row, as psql saw them."""

    times: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        longest = f"p99 {percentile(self.times, 0.99):.1f} ms, at most {max(self.times):.1f} ms"
        return f"a bare commit meanwhile p50 {percentile(self.times, 0.5):.1f} ms, {longest}"


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that is not below a part of all values."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def milliseconds(since: float) -> float:
    """The time since a reading of the clock."""
    return (time.perf_counter() - since) * 1000


class Stage:
    """An installation, and the ways to ask its nodes."""

    def __init__(self, place: Installation, program: str) -> None:
        self.nodes = place.nodes
        self.admin = place.admin
        self.place = place
        self.program = program
        self.count = 0
        # The changes that were answered with 503 and sent again.
        self.repeated = 0

    async def call(self, node: Node, method: str, path: str, body: object = None) -> Answer:
        """Sends a request of management until it is not answered with 503, as clients do. It must succeed."""
        end = time.perf_counter() + PATIENCE
        while True:
            try:
                answer = await node.api.send(request(method, path, self.admin, body), PATIENCE)
            except Lost as error:
                raise Failed(f"{method} {path} was not answered") from error
            if answer.status != 503 or time.perf_counter() > end:
                break
            self.repeated += 1
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {answer.body.decode()}")
        return answer

    def verification(self, key: Key) -> bytes:
        """The request that verifies a key's token."""
        return request("POST", "/v1/verify", self.admin, {"token": key.token})

    async def verdict(self, node: Node, key: Key) -> str:
        """The verdict of a node about a token, or what went wrong."""
        try:
            answer = await node.api.send(self.verification(key), PATIENCE)
        except Lost:
            return "lost"
        return str(answer.json().get("code", answer.status))

    async def verdicts(self, key: Key) -> set[str]:
        """The verdicts of all nodes."""
        return set(await asyncio.gather(*[self.verdict(node, key) for node in self.nodes]))

    async def warm(self, key: Key) -> None:
        """Puts a key into the memory of every node."""
        # The first verification after a change reads, and is kept only if no fence of the workspace came meanwhile.
        for _ in range(2):
            if (found := await self.verdicts(key)) != {"valid"}:
                raise Failed(f"a new key is {found}")

    async def keys(self, count: int) -> list[Key]:
        """Creates keys."""
        paths = asyncio.Semaphore(16)

        async def create(number: int) -> Key:
            async with paths:
                node = self.nodes[number % len(self.nodes)]
                made = (await self.call(node, "POST", KEYS, {"name": f"key {number}"})).json()
                return Key(made["key"]["id"], made["token"])

        first, self.count = self.count, self.count + count
        return list(await asyncio.gather(*[create(first + number) for number in range(count)]))

    @contextlib.asynccontextmanager
    async def light_load(self, keys: Sequence[Key], rate: float) -> AsyncIterator[None]:
        """Verifies keys on every node that is not paused, at a rate for each node, while the body runs."""
        running = [asyncio.create_task(self._load(node, keys, rate)) for node in self.nodes]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            ends = await asyncio.gather(*running, return_exceptions=True)
            for end in ends:
                if isinstance(end, Exception):
                    raise end

    async def _load(self, node: Node, keys: Sequence[Key], rate: float) -> None:
        async with asyncio.TaskGroup() as group:
            begin, sent = time.perf_counter(), 0
            while True:
                sent += 1
                await asyncio.sleep(max(0, begin + sent / rate - time.perf_counter()))
                if not node.is_stopped:
                    group.create_task(self._expect(node, keys[sent % len(keys)]))

    async def _expect(self, node: Node, key: Key) -> None:
        # A request that arrives as its node is paused is answered later. A node without a lease says 503.
        if (found := await self.verdict(node, key)) not in ("valid", "503", "lost"):
            raise Failed(f"a key of the light load is {found}")

    async def connection(self, node: Node, source: str | None = None) -> Connection:
        """Opens a connection to a node, from an address of the loopback network."""
        loop = asyncio.get_running_loop()
        assert isinstance(node.api.address, tuple)
        address = (source, 0) if source else None
        return (await loop.create_connection(Connection, *node.api.address, local_addr=address))[1]

    async def bench(self, operator: Path, seconds: int, rate: float | None = None) -> dict[str, Any]:
        """Runs `mortise bench` against the first node."""
        assert isinstance(self.nodes[0].api.address, tuple)
        host, port = self.nodes[0].api.address
        command = [
            self.program, "bench", "--url", f"http://{host}:{port}", "--token-file", str(operator), "--verify",
            "--json", "--mix", "valid=100", "--duration", f"{seconds}s",
        ]  # fmt: skip
        if rate:
            command += ["--rate", str(int(rate))]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = await process.communicate()
        if process.returncode:
            raise Failed(f"mortise bench ended with {process.returncode}: {output.decode()} {errors.decode()}")
        report: dict[str, Any] = json.loads(output)
        return report

    @contextlib.asynccontextmanager
    async def commits(self) -> AsyncIterator[Commits]:
        """Writes a row twenty times a second while the body runs, as the yardstick of what a commit costs meanwhile."""
        folder = str(self.place.postgres.folder)
        command = as_postgres(postgres_program("psql"), "-h", folder, "-U", "postgres", "-d", "postgres", "-XAtq")
        psql = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
        )
        assert psql.stdin
        psql.stdin.write(b"CREATE TABLE IF NOT EXISTS bare (n int);\n\\timing on\n")

        async def write() -> None:
            assert psql.stdin
            while True:
                psql.stdin.write(b"INSERT INTO bare VALUES (1);\n")
                await asyncio.sleep(0.05)

        writing = asyncio.create_task(write())
        commits = Commits()
        try:
            yield commits
        finally:
            writing.cancel()
            psql.stdin.close()
            output, _ = await psql.communicate()
            commits.times = [
                float(line.split()[1]) for line in output.decode().splitlines() if line.startswith("Time:")
            ]
