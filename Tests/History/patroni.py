"""Runs nodes of Mortise on a Patroni cluster under load, makes failovers, and checks the history of each.

The cluster has the settings of examples/patroni. Each case prints the checker's report, with the longest time without
an answered change and without an accepted verification. The cases:

- `kill`: the leader's Patroni and PostgreSQL are killed, and start again when another server leads.
- `pause`: both are paused for longer than the leader's ttl.
- `pause-patroni`: Patroni alone is paused, so the old primary goes on beside the new one.
- `switchover`: a planned one.
- `etcd`: two of three etcd are paused, so nobody leads.
- `standby`: the synchronous standby is killed, and starts again later.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import history
from history import Log, now
from installation import REPOSITORY, Failed, Node, as_postgres, find_program, make_secrets, make_token, postgres_program
from load import Load, Settings

CASES = ["kill", "pause", "pause-patroni", "switchover", "etcd", "standby"]
PASSWORD = "postgres"
# Longer than the ttl of examples/patroni/patroni.yml.
PAUSE = 30.0


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(entry.name))
    return found


class Member:
    """A PostgreSQL server under Patroni."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.name = f"postgres{number}"
        self.folder = folder
        self.data = folder / f"data{number}"
        self.rest = f"http://127.0.0.1:1800{number}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts Patroni, which starts PostgreSQL."""
        environment = {
            **os.environ,
            "PATRONI_NAME": self.name,
            "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:1800{self.number}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:1800{self.number}",
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:1543{self.number}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:1543{self.number}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.data),
            "PATRONI_POSTGRESQL_PGPASS": str(self.folder / f"pgpass{self.number}"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(Path(postgres_program("postgres")).parent),
            "PATRONI_SUPERUSER_USERNAME": "postgres",
            "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": "replicator",
        }
        command = as_postgres("patroni", str(REPOSITORY / "examples/patroni/patroni.yml"))
        with (self.folder.parent / f"patroni{self.number}.log").open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd="/")

    def state(self) -> dict[str, Any]:
        """The state that Patroni answers, or nothing."""
        try:
            with urllib.request.urlopen(f"{self.rest}/cluster", timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):
            return {}

    def patroni(self) -> list[int]:
        """The processes of Patroni, without PostgreSQL."""
        assert self.process
        runner = self.process.pid
        # `runuser` is the parent of Patroni.
        return ([runner] if os.geteuid() != 0 else children(runner)) if self.process.poll() is None else []

    def postgres(self) -> list[int]:
        """The processes of PostgreSQL."""
        try:
            postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return []
        return [postmaster, *children(postmaster)]

    def signal(self, number: signal.Signals, pids: list[int]) -> None:
        """Sends a signal to processes."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Ends Patroni and PostgreSQL at once."""
        self.signal(signal.SIGKILL, self.patroni() + self.postgres())
        if self.process:
            self.process.wait(30)


class Cluster:
    """Three etcd and three members."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etcd: list[subprocess.Popen[bytes]] = []
        data = folder / "postgres"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
        self.members = [Member(number, data) for number in (1, 2, 3)]

    async def start(self) -> None:
        """Starts everything, and waits for a leader with a synchronous standby."""
        peers = ",".join(f"etcd{number}=http://127.0.0.1:2380{number}" for number in (1, 2, 3))
        for number in (1, 2, 3):
            peer, client = f"http://127.0.0.1:2380{number}", f"http://127.0.0.1:2379{number}"
            command = ["etcd", "--name", f"etcd{number}", "--data-dir", str(self.folder / f"etcd{number}")]
            command += ["--initial-cluster", peers, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
            command += ["--listen-client-urls", client, "--advertise-client-urls", client]
            with (self.folder / f"etcd{number}.log").open("ab") as output:
                self.etcd.append(subprocess.Popen(command, stdout=output, stderr=output))
        for member in self.members:
            member.start()
        await self.settle()

    async def settle(self, seconds: float = 180) -> None:
        """Waits until one member leads, one is a synchronous standby and one follows."""
        end = time.monotonic() + seconds
        while True:
            roles = await self.roles()
            if sorted(roles.values()) in (
                ["leader", "replica", "sync_standby"],
                ["leader", "quorum_standby", "sync_standby"],
            ):
                return
            if time.monotonic() > end:
                raise Failed(f"the cluster does not settle: {roles}")
            await asyncio.sleep(0.5)

    async def roles(self) -> dict[str, str]:
        """The roles of the members that run, by name, as the first member that answers says."""
        for member in self.members:
            state = await asyncio.to_thread(member.state)
            found = {
                one["name"]: one["role"]
                for one in state.get("members", [])
                if one.get("state") in ("running", "streaming")
            }
            if found:
                return found
        return {}

    async def with_role(self, role: str) -> Member:
        """The member with a role."""
        for name, found in (await self.roles()).items():
            if found == role:
                return next(member for member in self.members if member.name == name)
        raise Failed(f"no member is {role}")

    def stop(self) -> None:
        """Ends everything."""
        for member in self.members:
            member.signal(signal.SIGCONT, member.patroni() + member.postgres())
            with contextlib.suppress(Exception):
                member.kill()
        for process in self.etcd:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


class Cases:
    """The failovers. Each begins after a calm time and ends when the cluster has settled."""

    def __init__(self, cluster: Cluster, log: Log) -> None:
        self.cluster = cluster
        self.log = log

    def named(self, name: str) -> Callable[[], Awaitable[None]]:
        """The case with a name."""
        found: Callable[[], Awaitable[None]] = getattr(self, name.replace("-", "_"))
        return found

    async def run(self, name: str) -> None:
        """Carries out a case."""
        await asyncio.sleep(10)
        begin = now()
        await self.named(name)()
        await self.cluster.settle()
        self.log.fault(name, -1, begin, now())
        await asyncio.sleep(10)

    async def kill(self) -> None:
        """Kills the leader."""
        leader = await self.cluster.with_role("leader")
        leader.kill()
        await self._another_leads(leader)
        leader.start()

    async def _another_leads(self, old: Member) -> None:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            roles = await self.cluster.roles()
            if any(role == "leader" and name != old.name for name, role in roles.items()):
                return
            await asyncio.sleep(0.3)
        raise Failed("no other member leads")

    async def pause(self) -> None:
        """Pauses the leader, Patroni and PostgreSQL."""
        leader = await self.cluster.with_role("leader")
        paused = leader.patroni() + leader.postgres()
        leader.signal(signal.SIGSTOP, paused)
        await asyncio.sleep(PAUSE)
        leader.signal(signal.SIGCONT, paused)

    async def pause_patroni(self) -> None:
        """Pauses the leader's Patroni alone."""
        leader = await self.cluster.with_role("leader")
        paused = leader.patroni()
        leader.signal(signal.SIGSTOP, paused)
        await asyncio.sleep(PAUSE)
        leader.signal(signal.SIGCONT, paused)

    async def switchover(self) -> None:
        """Makes the synchronous standby the leader."""
        leader = await self.cluster.with_role("leader")
        standby = await self.cluster.with_role("sync_standby")
        body = json.dumps({"leader": leader.name, "candidate": standby.name}).encode()
        request = urllib.request.Request(f"{leader.rest}/switchover", data=body, method="POST")
        await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=60).read())

    async def etcd(self) -> None:
        """Pauses two etcd."""
        for process in self.cluster.etcd[:2]:
            process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(PAUSE)
        for process in self.cluster.etcd[:2]:
            process.send_signal(signal.SIGCONT)

    async def standby(self) -> None:
        """Kills the synchronous standby."""
        standby = await self.cluster.with_role("sync_standby")
        standby.kill()
        await asyncio.sleep(PAUSE)
        standby.start()


async def run(options: argparse.Namespace, case: str, folder: Path) -> int:
    """Carries out a case on a cluster of its own, and returns the number of violations."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    program = find_program(options.program)
    admin = make_token(program, "admin")
    cluster = Cluster(folder)
    hosts = "host=127.0.0.1,127.0.0.1,127.0.0.1&port=15431,15432,15433"
    environment = {
        "MORTISE_PEPPER_FILE": make_secrets(program, folder),
        "MORTISE_ADMIN_KEY": admin,
        "MORTISE_OPERATOR_KEY": make_token(program, "operator"),
        "MORTISE_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@/mortise?{hosts}&target_session_attrs=read-write",
    }
    nodes = [Node(number, folder, program, environment) for number in range(3)]
    path = options.logs / f"patroni-{case}.gz" if options.logs else folder / f"{case}.gz"
    log = Log(path)
    try:
        await cluster.start()
        for node in nodes:
            await node.start()
        settings = Settings(rate=options.rate, mutators=options.mutators, stock=60)
        load = Load(nodes, admin, log, settings, random.Random())
        await load.prepare()
        ending = asyncio.ensure_future(Cases(cluster, log).run(case))
        await load.run(400, ending, until=ending)
    except BaseException:
        for node in nodes:
            print(f"== node {node.number} said:\n{node.tail()}", file=sys.stderr)
        if options.logs:
            for log_file in folder.glob("*.log"):
                shutil.copy(log_file, options.logs)
        raise
    finally:
        for node in nodes:
            await node.kill()
        cluster.stop()
        log.close()
    report = history.check(path)
    print(f"== {case}\n" + "\n".join(report.lines()), flush=True)
    return len(report.violations)


def main() -> int:
    """Runs the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(CASES), help="the cases, with commas (default: all)")
    parser.add_argument("--program", help="the program (default: MORTISE_PROGRAM, or the debug build)")
    parser.add_argument("--rate", type=float, default=200, help="verifications a second beside those around changes")
    parser.add_argument("--mutators", type=int, default=2, help="the changes that are under way at once (default: 2)")
    parser.add_argument("--logs", type=Path, help="a folder for the histories (default: deleted after the run)")
    options = parser.parse_args()
    if options.logs:
        options.logs.mkdir(parents=True, exist_ok=True)
    violations = failures = 0
    for case in options.cases.split(","):
        folder = Path(tempfile.mkdtemp(prefix="patroni", dir="/tmp"))
        folder.chmod(0o755)
        try:
            violations += asyncio.run(run(options, case, folder))
        except Failed as error:
            print(f"{case} failed: {error}", file=sys.stderr)
            failures += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if violations else 2 if failures else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
