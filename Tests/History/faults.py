"""The faults of a run, in an order that a seed determines."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

from history import Log, now
from installation import Node, Postgres, Relays

# The kinds of faults with their shares.
SHARES = {"stop": 28, "kill": 16, "leave": 8, "cut": 16, "reset": 8, "hold": 14, "fade": 6, "postgres": 10}


class Faults:
    """Kills and pauses nodes, restarts PostgreSQL, and cuts and slows the network between them."""

    def __init__(
        self,
        nodes: list[Node],
        postgres: Postgres,
        relays: Relays,
        log: Log,
        chance: random.Random,
        *,
        kinds: dict[str, int],
        pause: float,
        longest: float,
    ) -> None:
        self.nodes = nodes
        self.postgres = postgres
        self.relays = relays
        self.log = log
        self.chance = chance
        self.kinds = kinds
        # The mean time between two faults, and the longest pause of a node, in seconds.
        self.pause = pause
        self.longest = longest
        self.busy: set[int] = set()
        self.under_way: set[asyncio.Task[None]] = set()
        self.error: BaseException | None = None

    async def run(self, calm: float, seconds: float) -> None:
        """Makes faults after a calm time, and ends with all of them mended."""
        await asyncio.sleep(calm)
        end = now() + int(seconds * 1e9)
        while now() < end:
            kind = self.chance.choices(list(self.kinds), list(self.kinds.values()))[0]
            free = [node for node in self.nodes if node.number not in self.busy]
            # One node always works, unless PostgreSQL restarts.
            if kind == "postgres" or len(free) > 1:
                node = self.chance.choice(free) if free else self.nodes[0]
                self._start(kind, node)
            await asyncio.sleep(self.chance.expovariate(1 / self.pause))
            if self.error:
                raise self.error
        if self.under_way:
            await asyncio.wait(self.under_way)
        if self.error:
            raise self.error

    def _start(self, kind: str, node: Node) -> None:
        actions: dict[str, Callable[[Node], Awaitable[None]]] = {
            "stop": self.stop,
            "kill": self.kill,
            "leave": self.leave,
            "cut": self.cut,
            "reset": self.reset,
            "hold": self.hold,
            "fade": self.fade,
            "postgres": self.restart,
        }

        async def work() -> None:
            begin = now()
            try:
                await actions[kind](node)
            except BaseException as error:
                self.error = error
            finally:
                self.busy.discard(node.number)
                self.log.fault(kind, -1 if kind == "postgres" else node.number, begin, now())

        if kind != "postgres":
            self.busy.add(node.number)
        task = asyncio.ensure_future(work())
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    def _length(self, longest: float) -> float:
        """A duration: a short one, or one that a lease does not survive."""
        if self.chance.random() < 0.5:
            return self.chance.uniform(min(2.5, longest), longest)
        return float(min(longest, 0.05 * (longest / 0.05) ** self.chance.random()))

    async def stop(self, node: Node) -> None:
        """Pauses a node."""
        node.is_stopped = True
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(self._length(self.longest))
        node.signal(signal.SIGCONT)
        node.is_stopped = False

    async def kill(self, node: Node) -> None:
        """Kills a node and starts it again."""
        await node.kill()
        await asyncio.sleep(self.chance.uniform(0, 2))
        await node.start()

    async def leave(self, node: Node) -> None:
        """Ends a node cleanly, while it is asked, and starts it again."""
        await node.leave()
        await node.start()

    async def cut(self, node: Node) -> None:
        """Cuts a node off from PostgreSQL: nothing arrives, and everything arrives late."""
        await self._relay(node, "cut", self._length(self.longest))

    async def reset(self, node: Node) -> None:
        """Breaks the connections of a node to PostgreSQL, and refuses new ones."""
        await self._relay(node, "reset", self._length(4))

    async def hold(self, node: Node) -> None:
        """Delays what some connections of a node ask, or what they are answered."""
        direction = self.chance.choice(["requests", "answers", "answers"])
        await self._relay(node, f"hold {self.chance.uniform(0.02, 0.45):.3f} {direction}", self.chance.uniform(1, 5))

    async def fade(self, node: Node) -> None:
        """Makes answers late, and then stops what the node asks, so that the last answers arrive late and none after."""
        self.relays.set(node.number, "late 1.2")
        await asyncio.sleep(self.chance.uniform(1.5, 3))
        await self._relay(node, "fade 1.2", self.chance.uniform(3, 6))

    async def _relay(self, node: Node, command: str, seconds: float) -> None:
        self.relays.set(node.number, command)
        await asyncio.sleep(seconds)
        self.relays.set(node.number, "pass")

    async def restart(self, _: Node) -> None:
        """Restarts PostgreSQL, cleanly or as after a crash."""
        await self.postgres.restart(self.chance.choice(["fast", "immediate"]))
