"""Measures webhooks: events at a steady rate to many receivers, of which some are dead and one is slow, while nodes are killed."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Receivers:
    """Sound receivers: one server of nginx for each, whose log has the arrivals."""

    def __init__(self, folder: Path, number: int) -> None:
        self.log = folder / "arrivals"
        self.ports = [18_200 + index for index in range(number)]
        servers = "".join(f"server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}\n" for port in self.ports)
        configuration = folder / "nginx.conf"
        configuration.write_text(f"""
            daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
            events {{ worker_connections 4096; }}
            http {{
                log_format arrival '$msec $http_webhook_id $server_port';
                access_log {self.log} arrival buffer=64k flush=1s;
                keepalive_requests 1000000;
                {servers}
            }}
        """)
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([nginx, "-e", str(folder / "nginx.log"), "-c", str(configuration)])
        self.urls = [f"http://127.0.0.1:{port}/" for port in self.ports]

    def arrivals(self) -> dict[tuple[str, str], list[float]]:
        """Returns the times of the arrivals of each event at each receiver."""
        found: dict[tuple[str, str], list[float]] = {}
        if not self.log.exists():
            return found
        # The last line can be written in two parts.
        for line in self.log.read_text().split("\n")[:-1]:
            at, event, port = line.split()
            found.setdefault((event, port), []).append(float(at))
        return found

    def __enter__(self) -> Receivers:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait()


class SlowReceiver:
    """A receiver that answers after some seconds."""

    def __init__(self, pause: float) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(pause)
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Says nothing."""

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Runs a PostgreSQL server, and returns its connection string and its process id."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.getuid() == 0 else []
    data = folder / "postgres"
    data.mkdir()
    shutil.chown(data, user, user)
    run = [*prefix, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, cwd=data)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={data}", "-c", "max_connections=300"]
    server = subprocess.Popen([*prefix, str(binaries / "postgres"), "-D", str(data), *options], cwd=data, stderr=subprocess.DEVNULL)
    try:
        ready = [str(binaries / "pg_isready"), "-h", str(data)]
        while subprocess.run(ready, stdout=subprocess.DEVNULL).returncode != 0:
            time.sleep(0.1)
        yield f"postgresql://postgres@/postgres?host={data}", server.pid
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


class Node:
    """A node that can be killed and started again on the same port."""

    def __init__(self, program: str, url: str, folder: Path, port: int, workspaces: int) -> None:
        self.port = port
        self.log = (folder / f"node-{port}.log").open("ab")
        self.command = [program, "serve"]
        self.environment = {
            **os.environ,
            "MORTISE_DATABASE_URL": url,
            "MORTISE_DATA": str(folder),
            "MORTISE_LISTEN": f"127.0.0.1:{port}",
            "MORTISE_WEBHOOK_ALLOW": "127.0.0.0/8",
            "MORTISE_KEYS_OUT": str(folder / "keys"),
            "MORTISE_ACCESS_LOG": "off",
            # Changes in more workspaces would open a connection each.
            "MORTISE_MANAGED_WORKSPACES": str(workspaces),
        }

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=self.log, stderr=self.log)

    def wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("a node was not ready within two minutes")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def call(connection: http.client.HTTPConnection, token: str, path: str, body: object, method: str = "POST") -> dict:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise AssertionError(f"{path}: {answer.status} {text.decode()}")
    return json.loads(text) if text else {}


@dataclasses.dataclass
class Target:
    """A workspace, with the ports of the sound receivers that get its events, and the keys that were created in it."""

    workspace: str
    ports: list[int]
    created: list[str] = dataclasses.field(default_factory=list)


def produce(nodes: list[int], token: str, rate: float, end: float, targets: list[Target]) -> None:
    """Creates keys at a steady rate until a time, over a node that answers."""
    connection: http.client.HTTPConnection | None = None
    start, number = time.monotonic(), 0
    while time.monotonic() < end:
        number += 1
        time.sleep(max(0, start + number / rate - time.monotonic()))
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", random.choice(nodes), timeout=30)
            target = random.choice(targets)
            path = f"/v1/workspaces/{target.workspace}/service-keys"
            key = call(connection, token, path, {"name": f"k{random.random()}"})
        except (OSError, http.client.HTTPException, AssertionError):
            # The node was killed. Nobody was promised an event.
            connection = None
            continue
        target.created.append(key["key"]["id"])


def all_events(port: int, token: str, workspace: str) -> Iterator[dict]:
    """Returns the creations of keys."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    path = f"/v1/workspaces/{workspace}/events?type=created&limit=100"
    cursor = ""
    while True:
        connection.request("GET", path + cursor, headers={"Authorization": f"Bearer {token}"})
        page = json.loads(connection.getresponse().read())
        yield from page["data"]
        if page.get("next_cursor") is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def processor_times(nodes: list[int], nginx: int, server: int) -> dict[str, float]:
    """Returns the seconds of processor time of the programs so far, without processes of PostgreSQL that have ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {"Mortise": 0.0, "PostgreSQL": 0.0, "receivers": 0.0, "producers": time.process_time()}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / ticks
            if pid in nodes:
                found["Mortise"] += seconds
            elif server in (pid, int(fields[1])):
                found["PostgreSQL"] += seconds
            elif nginx in (pid, int(fields[1])):
                found["receivers"] += seconds
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", default=str(REPOSITORY / ".build/release/mortise"))
    options.add_argument("--rate", type=float, default=500, help="events in a second")
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--receivers", type=int, default=20)
    options.add_argument("--dead", type=int, default=2)
    options.add_argument("--slow", type=int, default=1)
    options.add_argument(
        "--apart", action="store_true", help="each receiver gets the events of a workspace of its own, and not all events"
    )
    options.add_argument("--kills", type=int, default=0, help="SIGKILLs of nodes during the time")
    options.add_argument("--producers", type=int, default=16)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as text:
        folder = Path(text)
        folder.chmod(0o755)
        with postgres(folder) as (url, server):
            measure(chosen, folder, url, server)


def measure(chosen: argparse.Namespace, folder: Path, url: str, server: int) -> None:
    # One organization has at most three quarters of the places. A workspace more would open a connection for each change.
    workspaces = chosen.receivers * 4 // 3 + 2 if chosen.apart else 8
    nodes = [Node(chosen.program, url, folder, 18_190 + index, workspaces) for index in range(2)]
    nodes[0].start()
    nodes[0].wait()
    nodes[1].start()
    nodes[1].wait()
    token = next(word for word in (folder / "keys").read_text().split() if word.startswith("mka_"))
    with Receivers(folder, chosen.receivers - chosen.dead - chosen.slow) as good:
        deliver(chosen, nodes, token, good, server)


def deliver(chosen: argparse.Namespace, nodes: list[Node], token: str, good: Receivers, server: int) -> None:
    slow = [SlowReceiver(5) for _ in range(chosen.slow)]
    connection = http.client.HTTPConnection("127.0.0.1", nodes[0].port, timeout=30)
    urls = good.urls + [receiver.url for receiver in slow] + ["http://127.0.0.1:9/"] * chosen.dead
    targets = [] if chosen.apart else [Target("default", good.ports)]
    for index, place in enumerate(urls):
        body: dict[str, object] = {"url": place, "event_types": ["key.created"]}
        if chosen.apart:
            new = {"name": f"Workspace {index}", "slug": f"w{index}"}
            body["workspace_id"] = call(connection, token, "/v1/organizations/default/workspaces", new)["id"]
            targets.append(Target(f"w{index}", good.ports[index : index + 1]))
        call(connection, token, "/v1/organizations/default/webhooks", body)
    begin = time.monotonic()
    end = begin + chosen.seconds
    ports = [node.port for node in nodes]
    share = chosen.rate / chosen.producers
    workers = [
        threading.Thread(target=produce, args=(ports, token, share, end, targets)) for _ in range(chosen.producers)
    ]
    for worker in workers:
        worker.start()
    for index in range(chosen.kills):
        time.sleep(max(0, begin + (index + 1) * chosen.seconds / (chosen.kills + 1) - time.monotonic()))
        node = nodes[index % 2]
        node.kill()
        node.start()
        # One node is always there to take over.
        node.wait()
    for worker in workers:
        worker.join()
    took = time.monotonic() - begin
    created = sum(len(target.created) for target in targets)
    expected = sum(len(target.created) * len(target.ports) for target in targets)
    limit = time.monotonic() + 60
    while time.monotonic() < limit and len(good.arrivals()) < expected:
        time.sleep(1)
    if chosen.kills:
        # Events of changes whose answer was lost, and repetitions, are among the arrivals.
        time.sleep(15)
    used = processor_times([node.process.pid for node in nodes], good.process.pid, server)
    # The event, its time and the port of each delivery. An event that is missing is lost.
    deliveries = []
    for target in targets:
        events = {event["key_id"]: event for event in all_events(nodes[0].port, token, target.workspace)}
        for key in target.created:
            event = events.get(key)
            deliveries += [(event["id"], instant(event["occurred_at"]), port) if event else ("", 0.0, port) for port in target.ports]
    for node in nodes:
        node.kill()
    # nginx writes its log once a second.
    time.sleep(2)
    if good.process.poll() is not None:
        raise SystemExit("nginx has ended; is another program at its ports?")
    arrivals = good.arrivals()
    times = [arrivals.get((event, str(port)), []) for event, _, port in deliveries]
    starts = [at for _, at, _ in deliveries]
    lost = sum(1 for found in times if not found)
    again = sum(len(found) - 1 for found in arrivals.values())
    delays = sorted(found[0] - start for found, start in zip(times, starts, strict=True) if found)
    print(f"{created} events in {took:.0f} s ({created / took:.0f}/s), {chosen.kills} SIGKILLs")
    print(f"processor time: {', '.join(f'{name} {value:.1f} s' for name, value in used.items())}")
    print(f"{len(good.ports)} receivers: {len(delays)} deliveries, {again} repeated, {lost} lost")
    if delays:
        shown = ", ".join(f"{name} {delays[min(len(delays) - 1, int(part * len(delays)))]:.3f} s" for name, part in
                          (("p50", 0.5), ("p99", 0.99), ("max", 1)))
        print(f"delay from the change to the receiver: {shown}")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
