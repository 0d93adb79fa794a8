"""The history of a run: its log, and the checker that reads it.

A line of the log has fields with tabs between. Times are nanoseconds of one monotonic clock.

- `K token key workspace`: a token exists.
- `V door node token begin end verdict`: a verification. `begin` is before the first byte was sent.
- `C kind effect token workspace node sent answered outcome attempt`: a change. It makes tokens `refused` or `allowed`:
  one token, or with the token `*` all of a workspace. `answered` is after the last byte of the answer. The outcome is
  `done` (2xx), `unknown` or `failed` (4xx).
- `F kind node begin end`: a fault.

A verification that begins after the answer of a change must not see an older state: the checker finds those that do.
"""

from __future__ import annotations

import bisect
import gzip
import itertools
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

REFUSED, ALLOWED = "refused", "allowed"
# The verdicts by which a node says that a change has been made. Others, such as 503, say nothing about the key.
REFUSALS = {"revoked", "disabled", "expired", "not_found", "suspended", "unauthorized"}
SECOND = 1_000_000_000
# A change that begins this long after a fault still waits for the node's old lease.
SHADOW = 5 * SECOND


class Log:
    """The log of a run, as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: TextIO = gzip.open(path, "wt", compresslevel=3)
        self.verifications = 0

    def token(self, token: int, key: str, workspace: str) -> None:
        """Notes that a token exists."""
        self._write("K", token, key, workspace)

    def verification(self, door: str, node: int, token: int, begin: int, end: int, verdict: str) -> None:
        """Notes a verification."""
        self.verifications += 1
        self._write("V", door, node, token, begin, end, verdict)

    def change(
        self,
        kind: str,
        effect: str,
        token: int | None,
        workspace: str,
        node: int,
        sent: int,
        answered: int,
        outcome: str,
        attempt: int,
    ) -> None:
        """Notes a change."""
        name = "*" if token is None else token
        self._write("C", kind, effect, name, workspace, node, sent, answered, outcome, attempt)

    def fault(self, kind: str, node: int, begin: int, end: int) -> None:
        """Notes a fault."""
        self._write("F", kind, node, begin, end)

    def close(self) -> None:
        """Writes everything."""
        self.file.close()

    def _write(self, *fields: object) -> None:
        self.file.write("\t".join(map(str, fields)) + "\n")


def now() -> int:
    """The clock of the history."""
    return time.monotonic_ns()


@dataclass
class Change:
    """A change, as the log has it."""

    kind: str
    effect: str
    node: int
    sent: int
    answered: int
    outcome: str
    attempt: int


@dataclass
class Timeline:
    """The changes of one token or one workspace, which one task sends one after the other."""

    changes: list[Change] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def add(self, change: Change) -> None:
        """Adds the next change."""
        self.changes.append(change)
        self.sent.append(change.sent)

    def certain(self, begin: int, end: int) -> Change | None:
        """Returns the change whose effect a verification must see, or `None` if either state can be seen.

        It is the last change that was sent before the end of the verification, if it was answered before the begin.
        """
        index = bisect.bisect_left(self.sent, end)
        # A repetition of a change that was answered changes nothing.
        last = index - 1
        while last >= 0:
            change = self.changes[last]
            if change.outcome == "done" and change.answered < begin:
                return change if all(later.effect == change.effect for later in self.changes[last:index]) else None
            last -= 1
        return None


@dataclass
class Report:
    """The findings of the checker."""

    violations: list[str] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    doors: Counter[str] = field(default_factory=Counter)
    # The verifications that began after a change had been answered: those that can be violations.
    probes: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    # The seconds from a change to its answer, of changes with effect `refused` that were answered at the first attempt.
    calm: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)
    # The longest time in which no change was answered, and in which no verification was accepted.
    longest_without_change: float = 0
    longest_without_acceptance: float = 0

    @property
    def refusing(self) -> int:
        """The number of answered changes after which a token is refused."""
        return sum(count for name, count in self.changes.items() if name.endswith(REFUSED))

    def lines(self) -> Iterator[str]:
        """The report as text."""

        def counts(counter: Counter[str]) -> str:
            return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"

        yield f"verifications: {sum(self.verdicts.values())} ({counts(self.verdicts)})"
        yield f"asked by: {counts(self.doors)}"
        yield f"began after the answer of a change: {counts(self.probes)}"
        yield f"changes answered: {self.refusing} that refuse ({counts(self.changes)}); outcome unknown: {self.unknown}"
        yield f"faults: {counts(self.faults)}"
        for name, times in (("every node alive", self.calm), ("a node silent", self.silent)):
            if times:
                times.sort()
                p50, p99 = (times[min(len(times) - 1, len(times) * share // 100)] * 1000 for share in (50, 99))
                longest = times[-1] * 1000
                yield f"a change with {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {longest:.1f} ms of {len(times)}"
        yield f"longest time without an answered change: {self.longest_without_change:.1f} s"
        yield f"longest time without an accepted verification: {self.longest_without_acceptance:.1f} s"
        yield f"violations: {len(self.violations)}"
        yield from self.violations[:20]


# The faults in which a node does not answer fences.
SILENCE = {"kill", "stop", "cut", "fade"}


def check(path: Path) -> Report:
    """Reads the log of a run and checks it."""
    report = Report()
    workspace_of: dict[str, str] = {}
    timelines: defaultdict[str, Timeline] = defaultdict(Timeline)
    faults: list[tuple[str, int, int, int]] = []
    changes: list[Change] = []
    for line in lines(path):
        match line:
            case ["K", token, _, workspace]:
                workspace_of[token] = workspace
            case ["C", kind, effect, token, workspace, node, sent, answered, outcome, attempt]:
                change = Change(kind, effect, int(node), int(sent), int(answered), outcome, int(attempt))
                changes.append(change)
                if outcome != "failed":
                    timelines[workspace if token == "*" else token].add(change)
            case ["F", kind, node, begin, end]:
                report.faults[kind] += 1
                faults.append((kind, int(node), int(begin), int(end)))
    for change in changes:
        note(report, change, faults)
    done = sorted(change.answered for change in changes if change.outcome == "done")
    report.longest_without_change = longest_gap(done)

    accepted: list[int] = []
    for line in lines(path):
        if line[0] != "V":
            continue
        _, door, node, token, begin, end, verdict = line
        report.verdicts[verdict] += 1
        report.doors[door] += 1
        if verdict == "valid":
            accepted.append(int(end))
        for name in (token, workspace_of[token]):
            timeline = timelines.get(name)
            seen = timeline.certain(int(begin), int(end)) if timeline else None
            if seen is None:
                continue
            report.probes[f"{seen.effect} on {door}"] += 1
            if verdict == "valid" if seen.effect == REFUSED else verdict in stale_verdicts(seen):
                late = (int(begin) - seen.answered) / 1e9
                report.violations.append(
                    f"{verdict} on node {node} by {door}, token {token}: it began {late:.6f} s after {seen.kind} "
                    f"was answered by node {seen.node} (begin {begin}, answer {seen.answered})"
                )
    report.longest_without_acceptance = longest_gap(sorted(accepted))
    return report


def stale_verdicts(change: Change) -> set[str]:
    """The verdicts that show the state before a change that allows."""
    return {"enable": {"disabled"}, "resume": {"suspended"}}.get(change.kind, set())


def note(report: Report, change: Change, faults: Iterable[tuple[str, int, int, int]]) -> None:
    """Counts a change, and its latency."""
    if change.outcome == "unknown":
        report.unknown += 1
    if change.outcome != "done":
        return
    report.changes[f"{change.kind} {change.effect}"] += 1
    if change.effect != REFUSED or change.attempt > 1:
        return
    near = [fault for fault in faults if fault[2] < change.answered and change.sent < fault[3] + SHADOW]
    latency = (change.answered - change.sent) / 1e9
    if not near:
        report.calm.append(latency)
    elif all(kind in SILENCE and node != change.node for kind, node, _, _ in near):
        report.silent.append(latency)


def longest_gap(times: list[int]) -> float:
    """The longest time between two neighbours, in seconds."""
    return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0) / 1e9


def lines(path: Path) -> Iterator[list[str]]:
    """The lines of a log."""
    with gzip.open(path, "rt") as file:
        for line in file:
            yield line[:-1].split("\t")


if __name__ == "__main__":
    found = check(Path(sys.argv[1]))
    print("\n".join(found.lines()))
    sys.exit(1 if found.violations else 0)
