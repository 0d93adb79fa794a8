"""A PostgreSQL server, relays, and nodes of Mortise, all as processes of this program."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from calls import CallConnection
from connections import Connections, Lost, request

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


class Failed(Exception):
    """The test could not be carried out."""


async def until(what: str, condition: Callable[[], object], seconds: float = 600) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what} did not happen within {seconds:.0f} s")
        await asyncio.sleep(0.02)


def postgres_program(name: str) -> str:
    """Returns the path of a program of the newest PostgreSQL that is installed."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda folder: int(folder.split("/")[-2]))
    for folder in reversed(folders):
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    found = shutil.which(name)
    if not found:
        raise Failed(f"{name} is not installed")
    return found


def as_postgres(*command: str) -> list[str]:
    """Returns a command that runs as a user whom PostgreSQL accepts."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


class Postgres:
    """A PostgreSQL server on a Unix socket."""

    SETTINGS = "-c max_connections=500 -c synchronous_commit=on -c listen_addresses="
    # The processes end, the machine does not: the memory of the system keeps what was written.
    FAST = "-c fsync=off -c full_page_writes=off"

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self.settings = self.SETTINGS if is_durable else f"{self.SETTINGS} {self.FAST}"
        self.folder = folder / "postgres"
        self.data = self.folder / "data"
        self.socket = str(self.folder / ".s.PGSQL.5432")
        self._restarting = asyncio.Lock()

    async def start(self) -> None:
        """Creates the server and starts it."""
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        await self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        await self._control("start")

    async def restart(self, mode: str) -> None:
        """Starts the server again; `immediate` is as good as a crash."""
        # Two restarts at once would end the server that the other one has just started.
        async with self._restarting:
            await self._control("restart", "-m", mode)

    async def stop(self) -> None:
        """Ends the server."""
        with contextlib.suppress(Failed):
            await self._control("stop", "-m", "immediate")

    async def _control(self, *arguments: str) -> None:
        options = f"-k {self.folder} {self.settings}"
        log = self.folder / "log"
        try:
            await self._run("pg_ctl", "-w", "-t", "600", "-l", str(log), "-o", options, *arguments)
        except Failed as failure:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else ""
            raise Failed(f"{failure}\n{end}") from failure

    async def _run(self, name: str, *arguments: str) -> None:
        command = as_postgres(postgres_program(name), "-D", str(self.data), *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
        )
        _, errors = await process.communicate()
        if process.returncode:
            raise Failed(f"{name} {arguments} ended with {process.returncode}: {errors.decode()}")


class Relays:
    """The relays between the nodes and PostgreSQL: see relay.py."""

    def __init__(self, process: asyncio.subprocess.Process, ports: list[int]) -> None:
        self.process = process
        self.ports = ports

    @classmethod
    async def start(cls, target: str, count: int) -> Relays:
        """Starts a relay for each node."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "relay.py"),
            *[target] * count,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdout
        ports = [int(await process.stdout.readline()) for _ in range(count)]
        return cls(process, ports)

    def set(self, number: int, command: str) -> None:
        """Sends a command to a relay."""
        assert self.process.stdin
        self.process.stdin.write(f"{number} {command}\n".encode())

    async def stop(self) -> None:
        """Ends the relays."""
        assert self.process.stdin
        self.process.stdin.close()
        await self.process.wait()


class Node:
    """A node of Mortise, which can be killed and paused, and the connections of the load to it."""

    def __init__(self, number: int, folder: Path, program: str, environment: dict[str, str]) -> None:
        self.number = number
        self.program = program
        self.folder = folder / f"node{number}"
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.gateway_path = str(self.folder / "gateway")
        self.grpc_path = str(self.folder / "grpc")
        self.environment = {
            "MORTISE_DATA": str(self.folder),
            "MORTISE_LISTEN": "127.0.0.1:0",
            "MORTISE_GATEWAY_LISTEN": f"unix:{self.gateway_path}",
            "MORTISE_GRPC_LISTEN": f"unix:{self.grpc_path}",
            "MORTISE_LOG_FORMAT": "json",
            "MORTISE_ACCESS_LOG": "off",
            "MORTISE_ADMIN_KEYS_PER_ORGANIZATION": "100000000",
            **environment,
        }
        self.process: asyncio.subprocess.Process | None = None
        self.api = Connections()
        self.gateway = Connections()
        self.grpc = Connections(CallConnection)
        self.is_stopped = False
        self.totals: dict[str, float] = {}
        self._sample: dict[str, float] = {}

    @property
    def is_up(self) -> bool:
        """True if the node answers, as far as the faults of this program go."""
        return self.api.address is not None and not self.is_stopped

    async def start(self) -> None:
        """Starts the process and waits until it listens.

        A start ends with an error while PostgreSQL restarts, so it is repeated, as a supervisor does. On a busy machine that
        takes longer.
        """
        for _ in range(100):
            if await self._start():
                return
            await asyncio.sleep(0.5)
        raise Failed(f"node {self.number} has ended:\n{self.tail()}")

    def open_log(self) -> IO[bytes]:
        """Opens the file that the process writes its log to."""
        return self.log.open("ab")

    async def _start(self) -> bool:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MORTISE_", "PG"))}
        if rule := os.environ.get("MORTISE_BROKEN"):
            inherited["MORTISE_BROKEN"] = rule
        offset = self.log.stat().st_size if self.log.exists() else 0
        with self.open_log() as output:
            self.process = await asyncio.create_subprocess_exec(
                self.program, "serve", stdout=output, stderr=output, env={**inherited, **self.environment}
            )
        port = 0
        process = self.process

        def is_listening() -> bool:
            nonlocal port
            if process.returncode is not None:
                return True
            with self.log.open("rb") as log:
                log.seek(offset)
                text = log.read()
            found = re.search(rb'"message":"listening","address":"[^"\n]*:(\d+)"', text)
            if found:
                port = int(found.group(1))
            return bool(found) and b"listening for gateways" in text

        await until(f"node {self.number} listens", is_listening)
        if not port:
            return False
        self._sample = {}
        self.api.move(("127.0.0.1", port))
        self.gateway.move(self.gateway_path)
        self.grpc.move(self.grpc_path)
        return True

    def tail(self) -> str:
        """The end of the node's log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process."""
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def kill(self) -> None:
        """Ends the process at once."""
        self.api.move(None)
        self.gateway.move(None)
        self.grpc.move(None)
        self.is_stopped = False
        if self.process and self.process.returncode is None:
            self.signal(signal.SIGKILL)
            await self.process.wait()

    async def leave(self) -> None:
        """Ends the process as an operator does, and asks it until it has ended."""
        assert self.process
        self.is_stopped = True
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 30)
        await self.kill()

    async def sample(self) -> None:
        """Adds what the node's counters have grown by."""
        try:
            answer = await self.api.send(request("GET", "/metrics"), 2)
        except Lost:
            return
        now: dict[str, float] = {}
        for line in answer.body.decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith(("mortise_verifications_total", "mortise_key_reads_total")):
                family = name.split("{")[0]
                now[family] = now.get(family, 0) + float(value)
        for name, total in now.items():
            self.totals[name] = self.totals.get(name, 0) + max(0, total - self._sample.get(name, 0))
        self._sample = now


def find_program(given: str | None) -> str:
    """Returns the path of the program to test: the debug build, unless another is named."""
    program = given or os.environ.get("MORTISE_PROGRAM") or str(REPOSITORY / ".build/debug/mortise")
    if not os.access(program, os.X_OK):
        raise Failed(f"{program} is no program: build it, or name another one with --program")
    return str(Path(program).resolve())


def make_secrets(program: str, folder: Path) -> str:
    """Creates the secrets file that the nodes share."""
    path = str(folder / "secrets")
    subprocess.run([program, "secrets", "new", path], check=True, stdout=subprocess.DEVNULL)
    return path


def make_token(program: str, kind: str) -> str:
    """Creates a token."""
    done = subprocess.run([program, "key", "generate", "--kind", kind], check=True, stdout=subprocess.PIPE, text=True)
    found = re.search(r"mk[a-z]_live_[0-9A-Za-z]+", done.stdout)
    assert found, done.stdout
    return found.group()


@dataclass
class Installation:
    """Nodes on one PostgreSQL server, and the keys that came with it."""

    postgres: Postgres
    nodes: list[Node]
    admin: str
    operator: str


@contextlib.asynccontextmanager
async def started(nodes: list[Node]) -> AsyncIterator[None]:
    """Runs nodes. If what is done with them fails, the ends of their logs are printed."""
    try:
        for node in nodes:
            await node.start()
        yield
    except BaseException:
        for node in nodes:
            print(f"== node {node.number} said:\n{node.tail()}", file=sys.stderr)
        raise
    finally:
        for node in nodes:
            await node.kill()


@contextlib.asynccontextmanager
async def installed(
    program: str,
    folder: Path,
    count: int,
    *,
    is_durable: bool = False,
    node: type[Node] = Node,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Installation]:
    """Runs nodes on a PostgreSQL server of their own.

    A durable server writes to the disk before it answers a commit. Further settings of the nodes are variables.
    """
    postgres = Postgres(folder, is_durable=is_durable)
    admin, operator = make_token(program, "admin"), make_token(program, "operator")
    environment = {
        "MORTISE_PEPPER_FILE": make_secrets(program, folder),
        "MORTISE_ADMIN_KEY": admin,
        "MORTISE_OPERATOR_KEY": operator,
        "MORTISE_DATABASE_URL": f"postgresql://postgres@/mortise?host={postgres.folder}",
        **(settings or {}),
    }
    await postgres.start()
    nodes = [node(number, folder, program, environment) for number in range(count)]
    try:
        async with started(nodes):
            yield Installation(postgres, nodes, admin, operator)
    finally:
        await postgres.stop()
