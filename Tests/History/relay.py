"""TCP relays between nodes and PostgreSQL, in a process of their own, which can be cut and slowed down.

Each argument is the path of a Unix socket, for one relay. The program prints the ports, one on a line. Then each line of
standard input is a command: the number of a relay, and `pass`, `cut`, `reset`, `late SECONDS`,
`fade SECONDS`, or `hold SECONDS` with `requests` or `answers`.

- `cut` forwards nothing in either direction, and new connections stay without an answer: a network that drops packets.
  Afterwards everything arrives late, as TCP does it.
- `reset` ends the connections, and new ones at once.
- `hold` delays one direction of about half of the connections, and `late` answers of all.
- `fade` forwards no requests any more, and delays answers that are under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys


class Relay:
    """A relay from a port to the socket of a PostgreSQL server."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.mode = "pass"
        self.passing = asyncio.Event()
        self.passing.set()
        self.asking = asyncio.Event()
        self.asking.set()
        self.delay = 0.0
        self.direction = ""
        self.writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> int:
        """Listens, and returns the port."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def set(self, mode: str, *arguments: str) -> None:
        """Carries out a command."""
        self.mode = mode
        self.delay = 0
        if mode == "hold":
            self.delay, self.direction = float(arguments[0]), arguments[1]
        if mode in ("late", "fade"):
            self.delay, self.direction = float(arguments[0]), "answers"
        if mode == "fade":
            self.asking.clear()
        else:
            self.asking.set()
        if mode == "cut":
            self.passing.clear()
        else:
            self.passing.set()
        if mode == "reset":
            for writer in self.writers:
                writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forwards one connection."""
        self.writers.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            await self.passing.wait()
            if self.mode == "reset":
                return
            answers, upstream = await asyncio.open_unix_connection(self.target)
            self.writers.add(upstream)
            is_slow = random.random() < 0.5
            pumps = [
                asyncio.create_task(self.pump(reader, upstream, is_slow, "requests")),
                asyncio.create_task(self.pump(answers, writer, is_slow, "answers")),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        except OSError:
            pass
        finally:
            for end in (writer, upstream):
                if end is not None:
                    self.writers.discard(end)
                    end.transport.abort()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_slow: bool, direction: str
    ) -> None:
        """Forwards one direction until it ends."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.passing.wait()
                if direction == "requests":
                    await self.asking.wait()
                if (is_slow or self.mode != "hold") and self.delay and self.direction == direction:
                    await asyncio.sleep(self.delay)
                    await self.passing.wait()
                writer.write(data)
                await writer.drain()
            await self.passing.wait()


async def main(targets: list[str]) -> None:
    """Runs the relays until standard input ends."""
    relays = [Relay(target) for target in targets]
    for relay in relays:
        print(await relay.start(), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        number, *command = line.decode().split()
        relays[int(number)].set(*command)
    # Nothing is left to be done for the connections that are open.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
