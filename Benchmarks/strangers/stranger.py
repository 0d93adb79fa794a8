"""A tenant that harms nobody: a program of its own, so that nothing but the server and the machine delays it.

It verifies one key at a steady rate over connections that are kept, and twice a second over a new connection. A
latency counts from the time at which the request was due, so a server that stalls cannot hide it. On command, it
revokes keys and suspends a workspace, one change after the other.

The first line of its input is a JSON object, further lines are commands. Each line of its output is a request: its
kind, when it was due, its milliseconds and its outcome. After the command "mark" it writes "mark" when all requests so
far have ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import selectors
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "History"))
from clients import given_facts  # noqa: E402
from connections import Answer, Connection, Lost, request  # noqa: E402

PATIENCE = 10.0
# The connections that are opened at the start, and the most that a stall can make of them.
KEPT, MOST = 8, 64
# The times between two requests over a new connection, and between two changes.
NEWCOMERS, CHANGES = 0.5, 0.25
VERIFY, NEWCOMER, REVOKE, SUSPEND = "verify", "newcomer", "revoke", "suspend"


class Stranger:
    """The requests of the stranger."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.admin = facts["admin"]
        self.verification = request("POST", "/v1/verify", self.admin, {"token": facts["token"]})
        self.idle: deque[Connection] = deque()
        self.free = asyncio.Semaphore(MOST)
        self.running: set[asyncio.Task[None]] = set()
        self.is_changing = False

    def tell(self, what: str, due: float, outcome: str) -> None:
        """Writes the outcome of a request that has ended now."""
        print(what, f"{due:.6f}", f"{(time.monotonic() - due) * 1000:.3f}", outcome, flush=True)

    async def connect(self) -> Connection:
        """Opens a connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                return (await loop.create_connection(Connection, self.facts["host"], self.facts["port"]))[1]
        except (OSError, TimeoutError) as error:
            raise Lost() from error

    async def send(self, data: bytes) -> Answer:
        """Sends a request over the kept connection that was idle longest."""
        async with self.free:
            while self.idle and not self.idle[0].is_open:
                self.idle.popleft()
            connection = self.idle.popleft() if self.idle else await self.connect()
            answer = await connection.send(data, PATIENCE)
            if connection.is_open:
                self.idle.append(connection)
            return answer

    @staticmethod
    def verdict(answer: Answer) -> str:
        """The verdict of an answer."""
        return str(answer.json().get("code", answer.status))

    async def verify(self, due: float) -> None:
        """Verifies the key."""
        try:
            outcome = self.verdict(await self.send(self.verification))
        except Lost:
            outcome = "lost"
        self.tell(VERIFY, due, outcome)

    async def come(self, due: float) -> None:
        """Verifies the key over a new connection."""
        try:
            connection = await self.connect()
            outcome = self.verdict(await connection.send(self.verification, PATIENCE))
            connection.close()
        except Lost:
            outcome = "lost"
        self.tell(NEWCOMER, due, outcome)

    async def change(self, what: str, path: str) -> None:
        """Makes a change."""
        due = time.monotonic()
        try:
            outcome = str((await self.send(request("POST", path, self.admin))).status)
        except Lost:
            outcome = "lost"
        self.tell(what, due, outcome)

    async def make_changes(self) -> None:
        """Revokes keys, and suspends and resumes a workspace, in turns."""
        workspace = f"/v1/workspaces/{self.facts['workspace']}"
        keys = f"{workspace}/service-keys"
        for number in itertools.count():
            if not self.is_changing:
                return
            if number % 2:
                await self.change(SUSPEND, f"{workspace}/suspend")
                await self.prepare(f"{workspace}/resume")
            elif key := await self.prepare(keys, {"name": f"key {time.monotonic_ns()}"}):
                await self.change(REVOKE, f"{keys}/{key['key']['id']}/revoke")
            await asyncio.sleep(CHANGES)

    async def prepare(self, path: str, body: object = None) -> Any:
        """Makes a change that is not measured. Returns its answer, or nothing if it failed."""
        try:
            answer = await self.send(request("POST", path, self.admin, body))
        except Lost:
            return None
        return answer.json() if answer.status < 300 else None

    async def obey(self) -> None:
        """Reads commands until the input ends."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            match line.decode().strip():
                case "changes on":
                    self.is_changing = True
                    self.start(self.make_changes())
                case "changes off":
                    self.is_changing = False
                case "mark":
                    self.marking = asyncio.create_task(self.mark(set(self.running)))

    async def mark(self, running: set[asyncio.Task[None]]) -> None:
        """Says that requests have ended."""
        if running:
            await asyncio.wait(running)
        print("mark", flush=True)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts a task."""
        task = asyncio.create_task(work)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    async def repeat(self, interval: float, work: Callable[[float], Coroutine[Any, Any, None]]) -> None:
        """Starts a request at a steady rate."""
        begin = time.monotonic()
        for number in itertools.count():
            due = begin + number * interval
            await asyncio.sleep(due - time.monotonic())
            self.start(work(due))

    async def run(self) -> None:
        """Sends requests until the input ends."""
        self.idle.extend([await self.connect() for _ in range(KEPT)])
        loads = [self.repeat(1 / self.facts["rate"], self.verify), self.repeat(NEWCOMERS, self.come), self.obey()]
        tasks = [asyncio.create_task(load) for load in loads]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def main() -> None:
    """Reads what the stranger has, and runs it."""
    # Without the right to it, the stranger has the priority of the server.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    gc.disable()
    # select() has a timeout in microseconds. That of epoll has milliseconds, which would be a part of each latency.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(Stranger(given_facts()).run())


if __name__ == "__main__":
    main()
