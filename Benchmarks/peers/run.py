"""Loads Mortise and other programs that check keys, in turns, and prints their rates and their CPU time: see README.md."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from machine import Postgres, cpu_seconds, free_ports
from subjects import Mortise, Python, Subject, openbao

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / ".build" / "peers"
REQUIREMENTS = HERE / "requirements.txt"
# The packages whose versions the report names.
NAMED = ("django", "safe-", "openbao", "gunicorn", "uvicorn", "uvloop", "fastapi", "sqlalchemy", "psycopg==", "asyncpg")


@dataclasses.dataclass
class Round:
    """The figures of a subject in one round.

    `rate` is in checks a second. `cpu` and `postgres` are in seconds for 1,000 checks, and `cpu` includes `postgres`. `wrk` is the number of
    processors that wrk kept busy. `median` is the median latency in milliseconds.
    """

    rate: float
    cpu: float
    postgres: float
    wrk: float
    median: float


def environment() -> Path:
    """Returns the virtual environment with the pinned packages. The next run reuses it."""
    folder, installed = BUILD / "venv", BUILD / "venv" / "requirements.txt"
    if not installed.exists() or installed.read_text() != REQUIREMENTS.read_text():
        print("installing the peers into .build/peers", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
        subprocess.run(pip, check=True, timeout=1200)
        shutil.copy(REQUIREMENTS, installed)
    return folder


def load(subject: Subject, postgres: int, options: argparse.Namespace, folder: Path) -> Round:
    """Loads a subject with wrk, and fails if an answer was not an acceptance."""
    messages = folder / "requests"
    messages.write_text("".join(message.decode().replace("\r\n", "\\r\\n") + "\n" for message in subject.requests))
    url = f"http://127.0.0.1:{subject.port}/"
    arguments = ["-t2", f"-c{options.connections}", f"-d{options.seconds}s", "--timeout", "20s", "-s", str(HERE / "load.lua"), url]
    refused, own, database = subject.refused(), cpu_seconds(subject.process), cpu_seconds(postgres)
    command = ["wrk", *arguments, "--", str(messages)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wrk = subprocess.run(command, check=True, capture_output=True, text=True, timeout=options.seconds + 60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    loading = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    own, database = cpu_seconds(subject.process) - own, cpu_seconds(postgres) - database
    counts = json.loads(wrk.stdout.splitlines()[-1])
    answers = counts["answers"]
    assert answers > 0, f"{subject.name} answered nothing:\n{wrk.stdout}"
    refused = subject.refused() - refused + counts["refused"]
    assert refused == 0, f"{subject.name} refused {refused} of {answers} genuine keys"
    assert counts["broken"] == 0, f"{subject.name} broke {counts['broken']} connections:\n{wrk.stdout}"
    if not subject.uses_postgres:
        database = 0
    seconds = counts["microseconds"] / 1e6
    thousands = answers / 1000
    return Round(answers / seconds, (own + database) / thousands, database / thousands, loading / seconds, counts["median"] / 1000)


def versions(binary: str, postgres: Postgres) -> str:
    """Returns the versions of the programs, the load average and the number of processors."""

    def version(program: str) -> str:
        return subprocess.run([program, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    packages = [line for line in REQUIREMENTS.read_text().split() if line.lower().startswith(NAMED)]
    programs = [f"Mortise {version(binary)}", version(str(postgres.binaries / "postgres")), f"Python {sys.version.split()[0]}"]
    machine = f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}"
    return ", ".join([*programs, *packages, machine])


def median(rounds: list[Round]) -> Round:
    """Returns the medians of the rounds."""
    return Round(*(statistics.median(getattr(one, field.name) for one in rounds) for field in dataclasses.fields(Round)))


def report(own: list[Subject], peers: list[Subject], figures: dict[str, list[Round]]) -> None:
    """Prints the tables: the medians of the figures, and the medians of the ratios of the rounds."""
    print("| | checks/s | lowest and highest round | CPU s per 1,000 checks | of it PostgreSQL | processors for wrk | median latency, ms |")
    print("|---|---|---|---|---|---|---|")
    for subject in own + peers:
        one, rates = median(figures[subject.name]), [one.rate for one in figures[subject.name]]
        cells = [f"{one.rate:,.0f}", f"{min(rates):,.0f}, {max(rates):,.0f}", f"{one.cpu:.3f}", f"{one.postgres:.3f}"]
        cells += [f"{one.wrk:.2f}", f"{one.median:.1f}"]
        print(f"| {subject.name} | " + " | ".join(cells) + " |")
    ratios: list[tuple[str, Callable[[Round, Round], float]]] = [
        ("checks/s of Mortise to those of the peer", lambda mortise, peer: mortise.rate / peer.rate),
        ("CPU time of the peer to that of Mortise", lambda mortise, peer: peer.cpu / mortise.cpu),
    ]
    for title, ratio in ratios:
        print(f"\n| {title} | " + " | ".join(subject.name for subject in own) + " |")
        print("|---" * (len(own) + 1) + "|")
        for peer in peers:
            pairs = [zip(figures[subject.name], figures[peer.name], strict=True) for subject in own]
            cells = [f"{statistics.median(ratio(*pair) for pair in rounds):.1f}x" for rounds in pairs]
            print(f"| {peer.name} | " + " | ".join(cells) + " |")


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each subject is loaded (default: 5)")
    parser.add_argument("--seconds", type=int, default=5, help="the time of a load (default: 5)")
    parser.add_argument("--connections", type=int, default=64, help="the connections of wrk (default: 64)")
    parser.add_argument("--keys", type=int, default=300, help="the genuine keys of each subject (default: 300)")
    parser.add_argument("--only", default="", help="load Mortise and only the peers whose names contain this text")
    workers = "--worker-class=gthread --threads=2"
    parser.add_argument("--threads", type=int, help="the threads of a Mortise node (default: the server's own default)")
    parser.add_argument("--gunicorn", default=workers, help=f"the arguments of gunicorn's workers (default: {workers})")
    options = parser.parse_args()
    binary = os.environ.get("MORTISE_PROGRAM")
    if not binary:
        parser.error("MORTISE_PROGRAM must name the program")
    # A signal ends the run in the orderly way, with all that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    packages = environment()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mortise-peers-")))
        # PostgreSQL runs as another user.
        folder.chmod(0o711)
        ports = free_ports()
        postgres = Postgres(folder)
        server = stack.enter_context(postgres.run())
        mortise = Mortise(os.path.abspath(binary), folder, postgres, options.keys, options.threads)
        own = stack.enter_context(mortise.run(ports))
        python = Python(packages, folder, postgres, options.keys, options.gunicorn.split())
        starts = {
            "django-tenant-apikeys": lambda name: [stack.enter_context(python.django("tenant_apikeys", name, next(ports)))],
            "djangorestframework-api-key": lambda name: [stack.enter_context(python.django("drf_api_key", name, next(ports)))],
            "safe-api-keys": lambda name: [stack.enter_context(python.fastapi("safe_keys", name, next(ports)))],
            "OpenBao": lambda _: stack.enter_context(openbao(packages, folder, next(ports), next(ports), options.keys)),
        }
        print(versions(binary, postgres) + "\n")
        peers = [subject for name, start in starts.items() if options.only in name for subject in start(name)]
        for subject in own + peers:
            subject.check()
        figures: dict[str, list[Round]] = {subject.name: [] for subject in own + peers}
        for number in range(options.rounds):
            for subject in own + peers:
                figures[subject.name].append(load(subject, server.pid, options, folder))
                print(f"round {number + 1}: {subject.name}: {figures[subject.name][-1].rate:,.0f}/s", file=sys.stderr)
        report(own, peers, figures)


if __name__ == "__main__":
    main()
