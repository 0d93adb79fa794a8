"""A small HTTP server on a real socket, which answers each request by the next step of a script."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Step = Callable[["FaultServer", socket.socket, Request], None]


def reply(status: int, body: Any = None, content_type: str = "application/json", **headers: str) -> Step:
    """Answers with a status, a body and headers."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(content)}", f"Content-Type: {content_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = "\r\n".join([*lines, "", ""]).encode() + content
    return lambda server, connection, request: connection.sendall(data)


def problem(status: int, code: str = "failed", **headers: str) -> Step:
    """Answers with a problem (RFC 9457)."""
    body = {"type": "about:blank", "title": "T", "status": status, "detail": "No.", "code": code, "request_id": "r1"}
    return reply(status, body, "application/problem+json", **headers)


def cut(server: FaultServer, connection: socket.socket, request: Request) -> None:
    """Breaks the connection instead of answering."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionError


def cut_answer(server: FaultServer, connection: socket.socket, request: Request) -> None:
    """Breaks the connection in the middle of the answer."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n{"id": ')
    raise ConnectionError


def cut_and_stop(server: FaultServer, connection: socket.socket, request: Request) -> None:
    """Breaks the connection, and refuses all later ones."""
    server.stop_listening()
    cut(server, connection, request)


def hang(server: FaultServer, connection: socket.socket, request: Request) -> None:
    """Does not answer as long as the server runs."""
    server.stopped.wait()
    raise ConnectionError


def drip(server: FaultServer, connection: socket.socket, request: Request) -> None:
    """Sends one byte of the body after the other, and never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nContent-Type: application/json\r\n\r\n")
    while not server.stopped.wait(0.02):
        connection.sendall(b" ")
    raise ConnectionError


def forward(url: str, *, and_cut: bool = False) -> Step:
    """Passes the request on to another server, and then passes the answer back or breaks the connection."""

    def step(server: FaultServer, connection: socket.socket, request: Request) -> None:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as upstream:
            headers = dict(request.headers) | {"connection": "close", "host": address.netloc}
            head = [f"{request.method} {request.target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
            upstream.sendall("\r\n".join(head).encode() + request.body)
            answer = b""
            while data := upstream.recv(65536):
                answer += data
        if not and_cut:
            connection.sendall(answer)
        raise ConnectionError

    return step


@dataclass
class FaultServer:
    """The server. After the last step of the script, the last step is repeated."""

    steps: list[Step]
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> FaultServer:
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_) -> None:
        self.stopped.set()
        self.stop_listening()
        for connection in self._open:
            _shut_down(connection)
        for thread in self._threads:
            thread.join(30)

    def stop_listening(self) -> None:
        _shut_down(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError))
            stack.enter_context(connection)
            if self.tls is not None:
                connection = stack.enter_context(self.tls.wrap_socket(connection, server_side=True))
            while (request := self._read(connection)) is not None:
                with self._lock:
                    step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
                    self.requests.append(request)
                step(self, connection, request)

    def _read(self, connection: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data or len(data) < self._length(data):
            if not (chunk := connection.recv(65536)):
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in fields)}
        return Request(method, target, headers, body)

    @staticmethod
    def _length(data: bytes) -> int:
        head, _, _ = data.partition(b"\r\n\r\n")
        for item in head.lower().split(b"\r\n"):
            if item.startswith(b"content-length:"):
                return len(head) + 4 + int(item.partition(b":")[2])
        return len(head) + 4


def _shut_down(open_socket: socket.socket) -> None:
    """Wakes the thread that waits for the socket, which `close` alone does not."""
    with contextlib.suppress(OSError):
        open_socket.shutdown(socket.SHUT_RDWR)
