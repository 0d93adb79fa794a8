"""Measures how soon a change of keys counts on every node: three nodes on one PostgreSQL server.

PostgreSQL writes to the disk before it answers a commit. Five figures: the time of a revocation, the same beside a node
that is paused, the time from a report of a leak to the last verification that was still accepted, verifications while
many keys change, one in a request and several together, and what a limit lets through over all nodes.

PostgreSQL, the nodes and this program share the processors. This program is one thread, and sends over connections that
are kept open. In the fourth figure, `mortise bench` has a thread for every two processors, and changes take what is
left. Beside the first three figures, a transaction of one row shows what a commit costs at that time. The load average is
printed, because other programs make the figures worse.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import harness  # noqa: E402, I001 (it makes the modules of Tests/History known)
import limits  # noqa: E402
from connections import Connection, request  # noqa: E402
from installation import Failed, find_program, installed  # noqa: E402
from stage import KEYS, PATIENCE, Commits, Key, Stage, milliseconds, percentile  # noqa: E402

# The changes that each node makes before it is measured, so that its connections are open.
UNMEASURED = 5
# The reports of leaks that one address sends. 60 are admitted in an hour.
REPORTS_OF_ADDRESS = 50
# The seconds that `mortise bench` takes beside its measurement, to make its keys and to remove them.
BENCH_BESIDE = 8


def figure(what: str, value: float, unit: str, goal: float, details: str = "") -> None:
    """Prints a figure that should not exceed a goal."""
    said = "met" if value <= goal else "MISSED"
    print(f"{what}: {value:,.1f}{unit}{details} (goal at most {goal:,g}{unit}: {said})", flush=True)


def machine(stage: Stage, commits: Commits | None = None) -> str:
    """The state of the machine during a measurement."""
    parts = [str(commits)] if commits else []
    if stage.repeated:
        parts.append(f"{stage.repeated} answered with 503 and repeated")
        stage.repeated = 0
    return ", ".join([*parts, f"load average {os.getloadavg()[0]:.1f}"])


async def revoke(stage: Stage, key: Key, number: int) -> float:
    """Revokes a key that every node has in memory, and returns the milliseconds until the answer."""
    live = [node for node in stage.nodes if not node.is_stopped]
    path = f"{KEYS}/{key.id}/revoke"
    begin = time.perf_counter()
    await stage.call(live[number % len(live)], "POST", path)
    return milliseconds(begin)


async def require_revoked(stage: Stage, key: Key) -> None:
    """Fails if a node accepts a key whose revocation was answered."""
    if (found := await stage.verdicts(key)) != {"revoked"}:
        raise Failed(f"a verification after a revocation said {found}")


async def revocations(stage: Stage, steady: list[Key], count: int, rate: float) -> None:
    """Measures revocations, one at a time, while all nodes live."""
    keys = await stage.keys(count + UNMEASURED * len(stage.nodes))
    times = []
    async with stage.light_load(steady, rate), stage.commits() as commits:
        for number, key in enumerate(keys):
            await stage.warm(key)
            times.append(await revoke(stage, key, number))
            await require_revoked(stage, key)
    times = times[-count:]
    details = (
        f", p50 {percentile(times, 0.5):.1f} ms, at most {max(times):.1f} ms, of {count:,}; {machine(stage, commits)}"
    )
    figure("a revocation, three nodes alive, p99", percentile(times, 0.99), " ms", 20, details)


async def revocations_beside_pause(stage: Stage, steady: list[Key], count: int, rate: float) -> None:
    """Measures revocations while one node is paused."""
    keys = await stage.keys(count)
    times = []
    async with stage.light_load(steady, rate), stage.commits() as commits:
        for number, key in enumerate(keys):
            await stage.warm(key)
            silent = stage.nodes[number % len(stage.nodes)]
            silent.is_stopped = True
            silent.signal(signal.SIGSTOP)
            try:
                times.append(await revoke(stage, key, number))
            finally:
                silent.signal(signal.SIGCONT)
                silent.is_stopped = False
            await require_revoked(stage, key)
    details = f", p50 {percentile(times, 0.5) / 1000:.2f} s, of {count}; {machine(stage, commits)}"
    figure("a revocation beside a paused node, at most", max(times) / 1000, " s", 3.5, details)


class Watch:
    """Verifies a token on every node, over a connection to each, until it is refused there."""

    def __init__(self, stage: Stage, lines: list[Connection], key: Key, interval: float) -> None:
        self.interval = interval
        self.request = stage.verification(key)
        # The starts of the verifications that accepted the token, of each node.
        self.accepted: list[list[float]] = [[] for _ in lines]
        self.tasks = [asyncio.create_task(self._verify(*pair)) for pair in zip(lines, self.accepted, strict=True)]

    async def _verify(self, line: Connection, accepted: list[float]) -> None:
        while True:
            begin = time.perf_counter()
            answer = await line.send(self.request, PATIENCE)
            code = answer.json().get("code")
            if code == "revoked":
                return
            if code == "valid":
                accepted.append(begin)
            elif answer.status != 503:
                raise Failed(f"a token that was reported is {code}")
            await asyncio.sleep(max(0, begin + self.interval - time.perf_counter()))

    async def last(self) -> float:
        """Waits until every node refuses the token. Returns the start of the last verification that accepted it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*self.tasks)
        except TimeoutError as error:
            raise Failed(f"a reported token was still accepted after {PATIENCE:g} s") from error
        return max(starts[-1] for starts in self.accepted)

    @property
    def gaps(self) -> list[float]:
        """The milliseconds between the starts of verifications of a node."""
        return [(after - before) * 1000 for starts in self.accepted for before, after in itertools.pairwise(starts)]


async def leaks(stage: Stage, count: int, interval: float) -> None:
    """Measures the time from a report of a token to the start of the last verification that accepted it."""
    keys = await stage.keys(count + UNMEASURED * len(stage.nodes))
    lines = [await stage.connection(node) for node in stage.nodes]
    times, gaps = [], []

    async def send(reporter: Connection, key: Key) -> None:
        """Reports a token. The answer comes after a whole number of half seconds, whatever the token is."""
        report = request("POST", "/v1/leaks", None, {"tokens": [key.token]})
        answer = await reporter.send(report, PATIENCE)
        reporter.close()
        if answer.status != 202:
            raise Failed(f"a report was answered with {answer.status}: {answer.body.decode()}")

    async with stage.commits() as commits, asyncio.TaskGroup() as reports:
        for number, key in enumerate(keys):
            await stage.warm(key)
            # The sources are 127.0.0.2 and so on, because one address may send 60 reports in an hour.
            source = f"127.0.0.{2 + number // REPORTS_OF_ADDRESS}"
            reporter = await stage.connection(stage.nodes[number % len(lines)], source)
            watch = Watch(stage, lines, key, interval)
            await asyncio.sleep(0.02)
            begin = time.perf_counter()
            reports.create_task(send(reporter, key))
            times.append((await watch.last() - begin) * 1000)
            gaps += watch.gaps
            await asyncio.sleep(0.03)
    for line in lines:
        line.close()
    times = times[-count:]
    details = (
        f", p50 {percentile(times, 0.5):.1f} ms, at most {max(times):.1f} ms, of {count}, with a verification on each "
        f"node every {percentile(gaps, 0.5):.1f} ms; {machine(stage, commits)}"
    )
    what = "from a report of a leak to the last accepted verification, p99"
    figure(what, percentile(times, 0.99), " ms", 50, details)


@dataclass(frozen=True)
class Change:
    """A request that changes keys."""

    method: str
    path: str
    body: object
    keys: int = 1


def description(keys: list[Key]) -> Callable[[int], Change]:
    """Changes of one key each, which go round."""

    def change(number: int) -> Change:
        path = f"{KEYS}/{keys[number % len(keys)].id}"
        return Change("PATCH", path, {"description": f"change {number}"})

    return change


def disabling(keys: list[Key], size: int) -> Callable[[int], Change]:
    """Requests that disable several keys each, and no key twice."""

    def change(number: int) -> Change:
        ids = [key.id for key in keys[number * size : (number + 1) * size]]
        if not ids:
            raise Failed("all keys are disabled, before `mortise bench` has ended")
        return Change("POST", f"{KEYS}/batch/disable", {"ids": ids}, len(ids))

    return change


class Changes:
    """Changes of keys at a rate, or as many as there can be."""

    def __init__(self, stage: Stage, change: Callable[[int], Change], rate: float, at_once: int) -> None:
        self.stage = stage
        self.change = change
        self.rate = rate
        # The keys that were changed.
        self.made = 0
        self.begin = time.perf_counter()
        self.tasks = [asyncio.create_task(self._change(number, at_once)) for number in range(at_once)]

    async def _change(self, first: int, step: int) -> None:
        number = first
        while True:
            await asyncio.sleep(max(0, self.begin + number / self.rate - time.perf_counter()))
            node = self.stage.nodes[number % len(self.stage.nodes)]
            change = self.change(number)
            await self.stage.call(node, change.method, change.path, change.body)
            self.made += change.keys
            number += step

    async def end(self) -> float:
        """Ends the changes, and returns how many keys were changed in a second."""
        rate = self.made / (time.perf_counter() - self.begin)
        for task in self.tasks:
            task.cancel()
        for end in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end
        return rate


async def verifications_beside_changes(stage: Stage, operator: Path, options: argparse.Namespace) -> None:
    """Measures verifications at a part of the load, while nothing changes and while many keys change."""
    seconds, size = options.seconds, options.batch
    keys = await stage.keys(1000)
    most = (await stage.bench(operator, seconds))["per_second"]
    part = most * options.load
    quiet = await stage.bench(operator, seconds, part)
    before = quiet["latency_ms"]["p99"]
    at = f"{part:,.0f} a second of {most:,.0f}"
    print(f"p99 of POST /v1/verify while nothing changes: {before:.1f} ms, {at}; {machine(stage)}", flush=True)

    async def measure(change: Callable[[int], Change], rate: float, what: str) -> None:
        changes = Changes(stage, change, rate, options.at_once)
        beside = await stage.bench(operator, seconds, part)
        reached = await changes.end()
        p99, answered = beside["latency_ms"]["p99"], beside["per_second"]
        reached_rates = f"{reached:,.0f} changed keys and {answered:,.0f} verifications a second"
        details = f", {p99:.1f} against {before:.1f} ms, with {reached_rates}; {machine(stage)}"
        figure(f"p99 of POST /v1/verify while {what}", p99 / before, "x", 2, details)

    for rate in options.changes:
        await measure(description(keys), rate, f"{rate:,g} keys a second should change")
    for rate in options.batches:
        enough = await stage.keys(math.ceil(rate * (seconds + BENCH_BESIDE)) * size)
        what = f"{rate:,g} requests a second should disable {size} keys each"
        await measure(disabling(enough, size), rate, what)


async def limit(stage: Stage, minutes: float) -> None:
    """Measures what one limit lets through over all nodes."""
    load = limits.Offer(minutes=minutes)
    count = await limits.offer(load, stage.place)
    let = len(count.accepted)
    details = f", {let:,} against {load.bound:,.0f} of one counter, of {count.offered:,} offered in {minutes * 60:g} s"
    figure(f"a key with {load.limit} uses a minute on three nodes lets through", let / load.bound, "x", 1.1, details)


async def run(options: argparse.Namespace, folder: Path) -> None:
    """Runs the measurements."""
    program = find_program(options.program)
    async with installed(program, folder, 3, is_durable=not options.without_sync) as place:
        operator = folder / "operator.key"
        operator.write_text(place.operator)
        operator.chmod(0o600)
        stage = Stage(place, program)
        steady = await stage.keys(30)
        for key in steady:
            await stage.warm(key)
        parts = {
            "revocations": lambda: revocations(stage, steady, options.revocations, options.rate),
            "pauses": lambda: revocations_beside_pause(stage, steady, options.pauses, options.rate),
            "leaks": lambda: leaks(stage, options.leaks, options.interval / 1000),
            "changes": lambda: verifications_beside_changes(stage, operator, options),
            "limit": lambda: limit(stage, options.minutes),
        }
        for name in options.only or parts:
            # A collection in the middle of a measurement would be a part of it.
            gc.collect()
            gc.disable()
            await parts[name]()
            gc.enable()


def main() -> int:
    """Reads the options, and runs the benchmark."""
    parser = harness.parser(__doc__)
    parser.add_argument(
        "--revocations", type=int, default=500, help="the revocations with three nodes alive (default: 500)"
    )
    parser.add_argument("--pauses", type=int, default=20, help="the revocations beside a paused node (default: 20)")
    parser.add_argument(
        "--rate", type=float, default=50, help="verifications a second on each node meanwhile (default: 50)"
    )
    parser.add_argument("--leaks", type=int, default=200, help="the reports of leaked tokens (default: 200)")
    parser.add_argument(
        "--interval",
        type=float,
        default=2,
        help="milliseconds between verifications of a leaked token on a node (default: 2)",
    )
    parser.add_argument(
        "--changes",
        type=float,
        nargs="+",
        default=[50, 1000],
        help="the changes a second beside verifications, one measurement for each (default: 50 1000)",
    )
    parser.add_argument(
        "--batches",
        type=float,
        nargs="*",
        default=[25],
        help="the requests a second that disable several keys each, one measurement for each (default: 25)",
    )
    parser.add_argument(
        "--batch", type=int, default=40, help="the keys of each of these requests, at most 100 (default: 40)"
    )
    parser.add_argument(
        "--load", type=float, default=0.5, help="the part of the most verifications a second, beside changes (default: 0.5)"
    )
    parser.add_argument("--at-once", type=int, default=48, help="the changes that are under way at once (default: 48)")
    parser.add_argument(
        "--seconds", type=int, default=8, help="the seconds of each run of `mortise bench` (default: 8)"
    )
    parser.add_argument("--minutes", type=float, default=1, help="the time of the limited key (default: 1)")
    names = ["revocations", "pauses", "leaks", "changes", "limit"]
    parser.add_argument("--only", nargs="+", choices=names, help="the parts to run (default: all)")
    options = parser.parse_args()
    return harness.carry_out("revocations", lambda folder: run(options, folder))


if __name__ == "__main__":
    sys.exit(main())
