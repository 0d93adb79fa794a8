"""Measures a stranger beside another tenant that does harm, with one server and a PostgreSQL server of its own.

The stranger is an organization that verifies one key at a steady rate. Another organization does what once hurt others,
one act after the other: a query parameter thousands of times, log lines that nobody reads, keys imported by hand,
batches over many workspaces, long lists, new workspaces, and connections that stay open. A quiet time comes before and
after each act. The goal is a p99 of the stranger of at most three times its p99 in these quiet times, and no failed
request.

The stranger and each client of the other tenant are programs of their own. They share the processors with the server and
with PostgreSQL, and the clients of the other tenant get those that nothing else wants. The load average is printed,
because other programs make the figures worse.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import statistics
import struct
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import harness  # noqa: E402, I001 (it makes the modules of Tests/History known)
from clients import Client, Span, Stranger  # noqa: E402
from installation import Installation, Node, find_program, installed, until  # noqa: E402
from stranger import NEWCOMER, REVOKE, SUSPEND, VERIFY  # noqa: E402
from tenants import IMPORT, UNANALYZED, Organization, Tenants  # noqa: E402

# The greatest p99 of the stranger, as a multiple of its p99 in quiet times.
GOAL = 3.0
# The time after an act in which nothing is measured.
PAUSE = 1.0
# The batches name more workspaces than the server has look-up connections. It has 33 on a PostgreSQL server with the
# default of 100 connections.
LOOK_UPS, WORKSPACES = 33, 80
# The keys of a member, and the bytes of their texts, just below the limit of a list.
FAT_KEYS, FAT_BYTES = 500, 8_200_000
# The keys of a workspace before the import.
KEYS = 61
# More than the server's limit of connections, which is 4096 if the system allows enough open files.
CONNECTIONS = 4200
MEMBER = "mallory@example.org"


# The acts, which are methods of the benchmark.
ACTS = ["parameters", "errors", "look_ups", "batches", "lists", "workspaces", "unread", "drips", "connections"]


class PipedNode(Node):
    """A node whose log goes through a pipe, whose reader can be paused."""

    reader: subprocess.Popen[bytes]
    pipe: int

    def open_log(self) -> IO[bytes]:
        self.pipe, end = os.pipe()
        with self.log.open("ab") as log:
            self.reader = subprocess.Popen(["cat"], stdin=self.pipe, stdout=log)
        return os.fdopen(end, "wb")

    def is_full(self) -> bool:
        """True if the pipe has no room for some lines."""
        waiting: int = struct.unpack("i", fcntl.ioctl(self.pipe, termios.FIONREAD, bytes(4)))[0]
        return waiting > fcntl.fcntl(self.pipe, fcntl.F_GETPIPE_SZ) - 8192

    @contextlib.asynccontextmanager
    async def unread(self) -> AsyncIterator[None]:
        """Lets nobody read the log while the body runs."""
        self.reader.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.reader.send_signal(signal.SIGCONT)


@dataclass
class Outcome:
    """The stranger's requests beside an act and in the quiet times around it."""

    quiet: Span
    beside: Span

    @property
    def ratio(self) -> float:
        """The p99 beside the act, as a multiple of the quiet one."""
        return self.beside.percentile(VERIFY, 0.99) / self.quiet.percentile(VERIFY, 0.99)


class Benchmark:
    """The stranger, the other tenant and its acts."""

    def __init__(self, options: argparse.Namespace, place: Installation, stranger: Stranger, tenants: Tenants) -> None:
        self.options = options
        self.place = place
        self.node = place.nodes[0]
        self.tenants = tenants
        self.stranger = stranger
        self.outcomes: dict[str, list[Outcome]] = {}
        self.other: Organization
        self.many: list[str] = []

    async def prepare(self) -> None:
        """Creates what the acts of the other tenant need."""
        tenants = self.tenants
        self.other = other = await tenants.organization("Mallory")

        async def new(number: int) -> str:
            return await tenants.key(other, await tenants.workspace(other, f"Many {number}"), "key")

        self.many = list(await asyncio.gather(*[new(number) for number in range(WORKSPACES)]))
        self.hidden = await tenants.workspace(other, "Hidden")
        self.broken = await tenants.key(other, self.hidden, "key")
        await tenants.fat_keys(await tenants.member(other, MEMBER), FAT_KEYS, FAT_BYTES)

    # The acts

    @contextlib.asynccontextmanager
    async def acting(self, act: str, copies: int = 1, **given: object) -> AsyncIterator[list[Client]]:
        """Runs clients of the other tenant while the body runs."""
        host, port = self.address
        whole: dict[str, Any] = {"act": act, "host": host, "port": port, "admin": self.other.admin, **given}
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(Client.running("harm.py", whole)) for _ in range(copies)]

    @property
    def address(self) -> tuple[str, int]:
        """The address of the server."""
        assert isinstance(self.node.api.address, tuple)
        return self.node.api.address

    async def measure(
        self, name: str, acting: AbstractAsyncContextManager[list[Client]], *, changes: bool = False
    ) -> None:
        """Measures the stranger before, beside and after an act, and prints what was found."""
        stranger, seconds = self.stranger, self.options.seconds
        quiet = await stranger.span(seconds)
        quiet_changes = await stranger.span(seconds, changes=True) if changes else Span()
        async with acting as clients:
            beside = await stranger.span(seconds)
            beside_changes = await stranger.span(seconds, changes=True) if changes else Span()
            counts = sum([await client.end() for client in clients], Counter[str]())
        await asyncio.sleep(PAUSE)
        quiet += await stranger.span(seconds)
        outcome = Outcome(quiet, beside)
        self.outcomes.setdefault(name, []).append(outcome)
        print(f"{name}: {outcome.ratio:.1f}x", flush=True)
        for kind, label in [(VERIFY, "verifications"), (NEWCOMER, "over new connections")]:
            print(f"  {label}: {beside.text(kind)}; quiet {quiet.text(kind)}")
        if changes:
            for kind, label in [(REVOKE, "revocations"), (SUSPEND, "suspensions")]:
                print(f"  {label}: {beside_changes.text(kind)}; quiet {quiet_changes.text(kind)}")
        faults = quiet.faults + quiet_changes.faults + beside.faults + beside_changes.faults
        if faults:
            print(f"  FAILED: {dict(faults)}")
            beside.faults += quiet.faults + quiet_changes.faults + beside_changes.faults
        answers = ", ".join(f"{count:,} {answer}" for answer, count in sorted(counts.items()))
        print(f"  the other tenant got {answers}; load average {os.getloadavg()[0]:.1f}", flush=True)

    async def parameters(self) -> None:
        """B1."""
        await self.measure("B1, a query parameter 11,000 times", self.acting("parameters"))

    async def errors(self) -> None:
        """B2."""
        node = self.node
        assert isinstance(node, PipedNode)
        database = await self.tenants.database(self.hidden)
        await self.tenants.hide(database)

        @contextlib.asynccontextmanager
        async def unread() -> AsyncIterator[list[Client]]:
            workspace = self.other.workspace
            async with node.unread(), self.acting("errors", broken=self.broken, workspace=workspace) as clients:
                await until("the log's pipe is full", node.is_full, 60)
                yield clients

        try:
            await self.measure("B2, a log that nobody reads", unread())
        finally:
            await self.tenants.show(database)

    async def look_ups(self) -> None:
        """B3."""
        tenants = self.tenants
        workspace = await tenants.workspace(self.other, "Import")
        tokens = [await tenants.key(self.other, workspace, f"key {number}") for number in range(KEYS)]
        database = await tenants.database(workspace)
        await tenants.sql(database, f"{UNANALYZED}; ANALYZE")

        @contextlib.asynccontextmanager
        async def importing() -> AsyncIterator[list[Client]]:
            async with self.acting("look_ups", tokens=tokens) as clients:
                # Plans that know few keys.
                await asyncio.sleep(PAUSE)
                async with self.stranger.watched() as span:
                    await tenants.sql(database, IMPORT.format(count=self.options.keys))
                print(f"during the import, which PostgreSQL alone works on: {span.text(VERIFY)}", flush=True)
                yield clients

        await self.measure(f"B3, {self.options.keys:,} keys imported without ANALYZE", importing())
        await tenants.remove(self.other, workspace)

    async def batches(self) -> None:
        """B4."""
        await self.measure(
            f"B4, two clients with batches over {WORKSPACES} workspaces", self.acting("batches", 2, tokens=self.many)
        )

    async def lists(self) -> None:
        """B5."""
        session = await self.tenants.sign_in(MEMBER)
        await self.measure(f"B5, lists of {FAT_KEYS} fat keys", self.acting("lists", session=session), changes=True)

    async def workspaces(self) -> None:
        """B5."""
        acting = self.acting("workspaces", organization=self.other.id)
        await self.measure("B5, new workspaces", acting, changes=True)
        made = await self.tenants.sql("mortise", "SELECT id FROM control.workspaces WHERE name LIKE 'Harm %'")
        await asyncio.gather(*[self.tenants.remove(self.other, workspace) for workspace in made.split()])

    async def unread(self) -> None:
        """B6."""
        session = await self.tenants.sign_in(MEMBER)
        await self.measure("B6, five clients that never read", self.acting("unread", session=session))

    async def drips(self) -> None:
        """B6."""
        await self.measure("B6, 100 bodies of a byte a second", self.acting("drips"))

    async def connections(self) -> None:
        """B6."""
        await self.measure(f"B6, {CONNECTIONS:,} connections", self.acting("connections", connections=CONNECTIONS))

    async def run(self) -> None:
        """Carries out the acts, round by round, and prints the medians."""
        chosen = [getattr(self, name) for name in ACTS if name in (self.options.only or ACTS)]
        for number in range(self.options.rounds):
            print(f"round {number + 1}", flush=True)
            for act in chosen:
                await act()
        print(f"medians of {self.options.rounds}:")
        for name, outcomes in self.outcomes.items():
            ratio = statistics.median(outcome.ratio for outcome in outcomes)
            beside, quiet = (
                statistics.median(span.percentile(VERIFY, 0.99) for span in spans)
                for spans in zip(*[(outcome.beside, outcome.quiet) for outcome in outcomes], strict=True)
            )
            faults = sum([outcome.beside.faults for outcome in outcomes], Counter[str]())
            said = "met" if ratio <= GOAL and not faults else "MISSED"
            failed = f"failed: {dict(faults)}" if faults else "no request failed"
            print(
                f"{name}, p99: {ratio:.1f}x, {beside:.2f} against {quiet:.2f} ms, {failed} "
                f"(goal at most {GOAL:g}x, and none: {said})",
                flush=True,
            )


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Starts the server and the stranger, and runs the acts."""
    settings = {"MORTISE_ACCESS_LOG": "management", "MORTISE_LOOKUP_WORKSPACES": str(LOOK_UPS)}
    program = find_program(options.program)
    async with installed(
        program, folder, 1, is_durable=not options.without_sync, node=PipedNode, settings=settings
    ) as place:
        tenants = Tenants(place)
        owner = await tenants.organization("Stranger")
        token = await tenants.key(owner, owner.workspace, "key")
        other = await tenants.workspace(owner, "Changes")
        assert isinstance(place.nodes[0].api.address, tuple)
        host, port = place.nodes[0].api.address
        given = {"host": host, "port": port, "admin": owner.admin, "token": token, "workspace": other}
        async with Client.running("stranger.py", {**given, "rate": options.rate}) as client:
            benchmark = Benchmark(options, place, Stranger(client), tenants)
            await benchmark.prepare()
            await benchmark.run()


def main() -> int:
    """Reads the options, and runs the benchmark."""
    parser = harness.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="the repetitions of each act (default: 3)")
    parser.add_argument(
        "--seconds", type=float, default=5, help="the seconds of each act and each quiet time (default: 5)"
    )
    parser.add_argument("--rate", type=float, default=200, help="the stranger's verifications a second (default: 200)")
    parser.add_argument("--keys", type=int, default=300_000, help="the keys of the import (default: 300000)")
    parser.add_argument("--only", nargs="+", choices=ACTS, help="the acts to carry out (default: all)")
    options = parser.parse_args()
    return harness.carry_out("strangers", lambda folder: run(options, folder))


if __name__ == "__main__":
    sys.exit(main())
