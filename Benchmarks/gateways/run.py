"""Measures the checks of gateways against yardsticks of the same run, because machines are noisy and ratios are not.

The yardstick is nginx that answers 200 to everything: alone, behind nginx's auth_request, and behind Envoy's ext_authz, each with the files of
examples/. Measurements alternate, and medians count.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests" / "Gateways"))
import grpc_client  # noqa: E402
import run as gateways  # noqa: E402

MORTISE = "127.0.0.1:18082"
CHECKS, CALLS = "127.0.0.1:8081", "127.0.0.1:8082"
YARDSTICK = "127.0.0.1:9000"
AUTHORIZE = "/v1/authorize/organizations/default;scope=read:orders/"
# The address at which the gateways of examples/ listen.
GATEWAY = "127.0.0.1:8000"


def output(arguments: list[str], **environment: str) -> str:
    """Runs a program, and returns what it prints."""
    done = subprocess.run(
        arguments, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=1200
    )
    if done.returncode:
        raise SystemExit(f"{arguments[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def wrk(address: str, path: str, token: str, seconds: int, connections: int = 64) -> float:
    """Requests a second over HTTP/1.1. An answer that is not 2xx is an error."""
    text = output(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-H", f"X-API-Key: {token}", f"http://{address}{path}"]
    )
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"http://{address}{path}: {text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def h2load(message: Path, seconds: int, streams: int) -> float:
    """gRPC calls a second over one connection."""
    text = output(
        [
            "h2load", "-c1", f"-m{streams}", "-D", str(seconds), "-d", str(message), "-H", "content-type: application/grpc",
            "-H", "te: trailers", f"http://{CALLS}/envoy.service.auth.v3.Authorization/Check",
        ]
    )  # fmt: skip
    counts = re.search(r"(\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", text)
    if int(counts.group(3)) or int(counts.group(4)):
        raise SystemExit(text)
    return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", text).group(1))


def alternate(rounds: int, **measurements) -> dict[str, float]:
    """Measures in turns, and returns the medians."""
    values: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            values[name].append(measure())
    return {name: statistics.median(list_) for name, list_ in values.items()}


def ratio(what: str, value: float, yardstick: float, goal: float) -> None:
    """Prints a ratio beside its goal."""
    part = value / yardstick
    said = "met" if part >= goal else "MISSED"
    print(f"{what}: {value:,.0f} against {yardstick:,.0f} = {part:.2f}x (goal at least {goal}x: {said})", flush=True)


def nginx(folder: Path, name: str, servers: str) -> list[str]:
    """The command for an nginx with two workers."""
    home = folder / name
    home.mkdir()
    temporary = "".join(f"{part}_temp_path {home}/{part};" for part in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    (home / "nginx.conf").write_text(f"""
        daemon off; worker_processes 2; pid {home}/nginx.pid; error_log stderr;
        events {{ worker_connections 4096; }}
        http {{ access_log off; keepalive_requests 1000000000; {temporary} {servers} }}
    """)
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(home / "nginx.conf"), "-p", str(home)]


def example(name: str, port: str, question: str | None) -> str:
    """A file of examples/ with another port, and with the yardstick in Mortise's place."""
    text = Path(REPOSITORY, "examples", name).read_text()
    for old, new in [(GATEWAY, port), (CHECKS, question or CHECKS)]:
        text = text.replace(old, new)
        text = text.replace(yaml_address(old), yaml_address(new))
    return text


def yaml_address(address: str) -> str:
    """An address as Envoy's files have it."""
    host, port = address.split(":")
    return f"address: {host}, port_value: {port}"


def envoy(folder: Path, name: str, text: str) -> list[str]:
    """The command for an Envoy with two threads."""
    file = folder / f"{name}.yaml"
    file.write_text(text)
    return [
        gateways.python_program("envoy"), "--disable-hot-restart", "--concurrency", "2", "--log-level", "error", "-c",
        str(file),
    ]  # fmt: skip


class Threads:
    """The time that the threads of a process ran and waited for a processor, since the object was made.

    Linux counts both in nanoseconds in /proc/PID/task/TID/schedstat, with the number of times that a thread began to run.
    """

    def __init__(self, process: int) -> None:
        self.folder = Path(f"/proc/{process}/task")
        self.begin = time.monotonic()
        self.before = self._read()

    def _read(self) -> dict[str, tuple[str, list[int]]]:
        """The name and the counts of each thread."""
        found = {}
        for task in self.folder.iterdir():
            # A thread can end meanwhile.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                counts = [int(count) for count in (task / "schedstat").read_text().split()]
                found[task.name] = ((task / "comm").read_text().strip(), counts)
        return found

    def __str__(self) -> str:
        seconds = time.monotonic() - self.begin
        used = []
        for task, (name, counts) in self._read().items():
            old = self.before.get(task, (name, [0, 0, 0]))[1]
            ran, waited, times = (now - then for now, then in zip(counts, old, strict=True))
            if times:
                used.append((ran / 1e9, waited / 1e9, times, name))
        if not used:
            return "the system counts no waits of threads"
        used.sort(reverse=True)
        ran, waited = (sum(thread[part] for thread in used) for part in (0, 1))
        # The threads that work beside the few that matter take hardly any time.
        busiest = ", ".join(
            f"{name} ran {ran:.2f} s and waited {waited:.2f} s, {waited / times * 1e6:.0f} us each time"
            for ran, waited, times, name in used[:4]
        )
        return f"the server ran {ran:.2f} s and waited {waited:.2f} s for a processor in {seconds:.1f} s ({busiest})"


def pauses(seconds: float = 2) -> str:
    """How long each processor runs nothing of ours while nothing else should run: a loop that reads the clock sees the gaps.

    Threads of the kernel and the machine below a virtual one take such times. No latency's 99th percentile is shorter than those that take
    more than 1 %.
    """
    found = []
    mine = os.sched_getaffinity(0)
    for processor in sorted(mine):
        os.sched_setaffinity(0, {processor})
        gaps = []
        last = time.perf_counter()
        end = last + seconds
        while last < end:
            now = time.perf_counter()
            if now - last > 0.0005:
                gaps.append(now - last)
            last = now
        longest = max(gaps, default=0) * 1000
        found.append(f"processor {processor} {sum(gaps) / seconds:.1%} of the time, at most {longest:.1f} ms at once")
    os.sched_setaffinity(0, mine)
    return "pauses of more than 0.5 ms of a loop that reads the clock: " + "; ".join(found)


def half_load(
    binary: str, process: int, operator: Path, arguments: list[str], rounds: int, seconds: int, what: str, goal: float
) -> None:
    """Prints the 99th percentile at half of the load that the server reaches, and if its threads waited for a processor."""

    def bench(*more: str) -> dict:
        command = [binary, "bench", "--url", f"http://{MORTISE}", "--token-file", str(operator), "--mix", "valid=100"]
        return json.loads(output([*command, "--duration", f"{seconds}s", "--json", *more]))

    def p99(*more: str) -> float:
        return bench(*more)["latency_ms"]["p99"]

    most = statistics.median(bench(*arguments)["per_second"] for _ in range(min(rounds, 3)))
    rate = ["--rate", str(int(most / 2))]
    threads = Threads(process)
    # The load generator and the machine have a share in every latency, which the yardstick shows.
    values = alternate(
        rounds,
        ours=lambda: p99(*arguments, *rate),
        nginx=lambda: p99("--gateway", YARDSTICK, *rate),
    )
    waits = str(threads)
    said = "met" if values["ours"] <= goal else "MISSED"
    print(
        f"{what}, {most / 2:,.0f} a second, p99: {values['ours']:.2f} ms (goal at most {goal} ms: {said});"
        f" nginx `return 200` at that rate: {values['nginx']:.2f} ms\n  {waits}\n  {pauses()}",
        flush=True,
    )


def latencies(binary: str, process: int, operator: Path, rounds: int, seconds: int, state: str, goal: float) -> None:
    """Prints the 99th percentiles of both calls at half load."""
    for name, arguments in [("/v1/authorize", ["--gateway", CHECKS]), ("/v1/verify", ["--verify"])]:
        half_load(binary, process, operator, arguments, rounds, seconds, f"{name} {state} at half load", goal)


@contextlib.contextmanager
def server(binary: str, folder: Path, **settings: str):
    """Runs Mortise with a PostgreSQL of its own, whose data the next start finds again. Yields its process id and its log."""
    with gateways.program(
        [binary, "serve"],
        str(folder),
        "mortise",
        MORTISE_DATA=str(folder / "data"),
        MORTISE_LISTEN=MORTISE,
        MORTISE_GATEWAY_LISTEN=CHECKS,
        MORTISE_GRPC_LISTEN=CALLS,
        MORTISE_LOG_LEVEL="warning",
        **settings,
    ) as (process, log):
        gateways.wait("Mortise is ready", lambda: gateways.send(gateways.MORTISE, "GET", "/readyz").status == 200)
        yield process.pid, log


def measure(binary: str, folder: Path, rounds: int, seconds: int) -> None:
    """Measures everything."""
    operator = folder / "operator.key"
    with contextlib.ExitStack() as stack:
        process, log = stack.enter_context(server(binary, folder))
        text = log.read_text()
        operator.write_text(re.search(r"mko_live_[0-9A-Za-z]+", text).group())
        operator.chmod(0o600)
        keys = gateways.Keys(re.search(r"mka_live_[0-9A-Za-z]+", text).group())
        _, token = keys.create("bench")

        def run(name: str, command: list[str]) -> None:
            stack.enter_context(gateways.program(command, str(folder), name, HOME=str(folder)))

        yardstick = f"server {{ listen {YARDSTICK}; location / {{ return 200; }} }}"
        run("yardstick", nginx(folder, "yardstick", yardstick))
        for name, (port, question) in NGINX.items():
            run(name, nginx(folder, name, example("nginx/mortise.conf", f"127.0.0.1:{port}", question)))
        for name, (port, question, file) in ENVOY.items():
            run(name, envoy(folder, name, example(f"envoy/{file}", f"127.0.0.1:{port}", question)))
        ports = [port for port, *_ in [*NGINX.values(), *ENVOY.values()]]
        for port in ports:
            headers = [("X-API-Key", token)]
            gateways.wait(
                f"port {port} lets the key pass",
                lambda port=port: gateways.send(("127.0.0.1", port), "GET", "/", headers).status == 200,
            )

        rates = alternate(
            rounds,
            ours=lambda: wrk(CHECKS, AUTHORIZE, token, seconds),
            nginx=lambda: wrk(YARDSTICK, AUTHORIZE, token, seconds),
        )
        ratio("/v1/authorize from memory, against nginx `return 200`", rates["ours"], rates["nginx"], 0.5)

        for what, ours, theirs in [
            ("nginx with auth_request to Mortise, against the same to nginx `return 200`", "nginx", "nginx-alone"),
            ("Envoy with ext_authz over HTTP, against the same to nginx `return 200`", "envoy", "envoy-alone"),
            ("Envoy with ext_authz over gRPC, against that over HTTP to nginx `return 200`", "envoy-grpc", "envoy-alone"),
        ]:
            places = {name: f"127.0.0.1:{value[0]}" for name, value in {**NGINX, **ENVOY}.items()}
            rates = alternate(
                rounds,
                ours=lambda place=places[ours]: wrk(place, "/", token, seconds),
                theirs=lambda place=places[theirs]: wrk(place, "/", token, seconds),
            )
            ratio(what, rates["ours"], rates["theirs"], 0.75)

        message = folder / "check"
        check = grpc_client.request(token, organization="default", scope="read:orders")
        message.write_bytes(b"\0" + len(check).to_bytes(4, "big") + check)
        rates = alternate(
            rounds,
            streams=lambda: h2load(message, seconds, 64),
            one=lambda: wrk(CHECKS, AUTHORIZE, token, seconds, connections=1),
            many=lambda: wrk(CHECKS, AUTHORIZE, token, seconds),
        )
        ratio("gRPC, one connection with 64 streams, against one connection of HTTP/1.1", rates["streams"], rates["one"], 1.5)
        print(f"  64 connections of HTTP/1.1 in that time: {rates['many']:,.0f}")
        latencies(binary, process, operator, rounds, seconds, "from memory", 1)
    home = nginx(folder, "yardstick-again", f"server {{ listen {YARDSTICK}; location / {{ return 200; }} }}")
    with (
        server(binary, folder, MORTISE_CACHE_BYTES="0") as (process, _),
        gateways.program(home, str(folder), "yardstick-again", HOME=str(folder)),
    ):
        latencies(binary, process, operator, rounds, seconds, "without memory", 5)


# Each gateway with its port, and what it asks: Mortise, or the yardstick.
NGINX = {"nginx": (8000, None), "nginx-alone": (8010, YARDSTICK)}
ENVOY = {
    "envoy": (8020, None, "envoy.yaml"),
    "envoy-alone": (8030, YARDSTICK, "envoy.yaml"),
    "envoy-grpc": (8040, None, "envoy-grpc.yaml"),
}


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=os.environ.get("MORTISE_PROGRAM"), help="the release build of mortise")
    parser.add_argument("--rounds", type=int, default=5, help="the repetitions of each measurement (default: 5)")
    parser.add_argument("--seconds", type=int, default=3, help="the seconds of each measurement (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        measure(options.program, Path(folder), options.rounds, options.seconds)


if __name__ == "__main__":
    main()
