"""Processes, ports, HTTP and CPU time for the comparison: nothing that is particular to a program."""

from __future__ import annotations

import contextlib
import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# Settings of the caller must not reach the programs.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("MORTISE_", "BAO_", "VAULT_", "DJANGO_", "SAFE_API_KEYS_", "GUNICORN_", "UVICORN_", "PG", "PYTHON"))
}


def free_ports() -> Iterator[int]:
    """Yields ports of the loopback address on which nothing listens, below the ports that the system gives to outgoing connections."""
    for port in range(24_100, 25_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


def wait(what: str, condition: Callable[[], bool], process: subprocess.Popen | None = None) -> None:
    """Waits up to a minute for a condition, and fails at once if the process has ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what} did not happen: the process ended with status {process.returncode}")
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within a minute")


def is_listening(port: int) -> bool:
    """Returns true if a connection to the port of the loopback address is accepted."""
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def send(port: int, request: bytes) -> tuple[int, bytes]:
    """Sends a request on a connection of its own, and returns the status and the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


def request(method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    """Returns the bytes of a request to the loopback address."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode()


@contextlib.contextmanager
def program(arguments: list[str], folder: Path, name: str, **environment: str) -> Iterator[subprocess.Popen]:
    """Runs a program while the body runs, and shows the end of its log if the body fails."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**ENVIRONMENT, **environment},
            start_new_session=True,
        )
    try:
        yield process
    except Exception:
        print(f"== {name} said:\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Postgres:
    """A PostgreSQL server for the time of a run, with PostgreSQL's own settings but for the number of connections.

    Only its Unix socket accepts connections. If the caller is root, the server runs as the user postgres.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        given = os.environ.get("MORTISE_POSTGRES_BIN")
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        assert given or versions, "PostgreSQL is not installed"
        self.binaries = Path(given) if given else versions[-1]
        user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.getuid() == 0 else []
        self.folder.mkdir(mode=0o755)
        shutil.chown(self.folder, user)

    @contextlib.contextmanager
    def run(self) -> Iterator[subprocess.Popen]:
        """Runs the server while the body runs."""
        data = str(self.folder / "data")
        initialize = [str(self.binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run([*self.prefix, *initialize], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, env=ENVIRONMENT)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}", "-c", "max_connections=300"]
        command = [*self.prefix, str(self.binaries / "postgres"), "-D", data, *options]
        with program(command, self.folder, "postgres") as process:
            try:
                wait("PostgreSQL is ready", lambda: self.call("pg_isready", "-q").returncode == 0, process)
                yield process
            finally:
                # An immediate shutdown: nothing of the data is needed any more.
                process.send_signal(signal.SIGQUIT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)

    def create(self, database: str) -> None:
        """Creates a database."""
        self.call("createdb", database).check_returncode()

    def call(self, name: str, *arguments: str) -> subprocess.CompletedProcess:
        """Runs a client program of PostgreSQL."""
        command = [str(self.binaries / name), "-h", str(self.folder), "-U", "postgres", *arguments]
        return subprocess.run(command, timeout=60, env=ENVIRONMENT, cwd=self.folder)


def cpu_seconds(root: int) -> float:
    """Returns the CPU time of a process and of its descendants, those that have ended included."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name of the program, in parentheses, can contain spaces.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
        # proc(5): utime, stime, and cutime and cstime of the children that ended.
        ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        total += ticks.get(process, 0)
        waiting += children.get(process, [])
    return total / TICKS
