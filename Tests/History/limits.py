"""Offers several nodes more verifications of one key than its limit allows, and prints what was let through.

The share of each node changes every few seconds: all on one node, on two, on all, or random. The limit is GCRA, so a key
may use its whole limit at once, and then the limit a minute. The bound for a time t on one counter is therefore
limit x (1 + t / 60 s).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connections import Lost, request
from history import now
from installation import Failed, Installation, Node, find_program, installed


@dataclass(frozen=True)
class Offer:
    """The load of one key."""

    # The uses a minute that the key allows, and the load as a multiple of them.
    limit: int = 600
    times: float = 10
    minutes: float = 3
    # The order of the shares of the nodes.
    seed: int | None = None

    @property
    def bound(self) -> float:
        """The uses that one counter allows."""
        return self.limit * (1 + self.minutes)


class Count:
    """The accepted verifications of a run."""

    def __init__(self) -> None:
        self.begin = now()
        self.offered = 0
        self.accepted: list[float] = []
        self.by_node: dict[int, int] = {}

    def accept(self, node: int) -> None:
        """Notes an accepted verification."""
        self.accepted.append((now() - self.begin) / 1e9)
        self.by_node[node] = self.by_node.get(node, 0) + 1

    def most_in(self, seconds: float) -> int:
        """The most that were accepted in any time of a length."""
        best = first = 0
        for last, at in enumerate(self.accepted):
            while self.accepted[first] <= at - seconds:
                first += 1
            best = max(best, last - first + 1)
        return best


async def offer(load: Offer, place: Installation) -> Count:
    """Creates a key and offers its verifications at a steady rate, on nodes whose shares change."""
    nodes, admin = place.nodes, place.admin
    body = {"name": "limited", "rate_limit_per_minute": load.limit}
    made = await nodes[0].api.send(request("POST", "/v1/workspaces/default/service-keys", admin, body), 30)
    if made.status != 201:
        raise Failed(f"the key was not created: {made}")
    token = made.json()["token"]
    count = Count()
    chance = random.Random(load.seed)
    rate = load.limit * load.times / 60
    tasks: set[asyncio.Task[None]] = set()
    shares = [1.0] * len(nodes)
    next_change = 0.0

    async def ask(node: Node) -> None:
        try:
            answer = await node.api.send(request("POST", "/v1/verify", admin, {"token": token}), 10)
        except Lost:
            return
        if answer.json().get("code") == "valid":
            count.accept(node.number)

    total = int(rate * load.minutes * 60)
    for number in range(total):
        due = number / rate
        at = (now() - count.begin) / 1e9
        if due > at:
            await asyncio.sleep(due - at)
        if due >= next_change:
            next_change = due + chance.uniform(2, 8)
            shares = chance.choice(
                [
                    [1.0] * len(nodes),
                    [1.0 if index == chance.randrange(len(nodes)) else 0.001 for index in range(len(nodes))],
                    [chance.random() ** 3 for _ in nodes],
                ]
            )
        count.offered += 1
        task = asyncio.create_task(ask(chance.choices(nodes, [share + 1e-9 for share in shares])[0]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    if tasks:
        await asyncio.wait(tasks)
    return count


async def run(load: Offer, nodes: int, program: str | None, folder: Path) -> Count:
    """Starts the nodes and offers the load."""
    async with installed(find_program(program), folder, nodes) as place:
        return await offer(load, place)


def main() -> int:
    """Runs and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3, help="the time of the load (default: 3)")
    parser.add_argument("--nodes", type=int, default=3, help="the number of nodes (default: 3)")
    parser.add_argument("--limit", type=int, default=600, help="the limit of the key, a minute (default: 600)")
    parser.add_argument("--times", type=float, default=10, help="the load as a multiple of the limit (default: 10)")
    parser.add_argument("--program", help="the program (default: MORTISE_PROGRAM, or the debug build)")
    parser.add_argument("--seed", type=int, help="the order of the shares (default: random)")
    options = parser.parse_args()
    load = Offer(options.limit, options.times, options.minutes, options.seed)
    folder = Path(tempfile.mkdtemp(prefix="limits", dir="/tmp"))
    folder.chmod(0o755)
    try:
        count = asyncio.run(run(load, options.nodes, options.program, folder))
    except Failed as error:
        print(f"the run failed: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"offered {count.offered}, accepted {len(count.accepted)}, of {load.bound:.0f} that one counter allows")
    print(f"most in a minute: {count.most_in(60)}, in ten seconds: {count.most_in(10)}, by node: {count.by_node}")
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
