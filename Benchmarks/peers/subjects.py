"""The programs that are compared: how each is started, asked and loaded."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from machine import ENVIRONMENT, Postgres, is_listening, program, request, send, wait

PROJECTS = Path(__file__).resolve().parent / "projects"
SCOPE = "read:orders"
WORKERS = 2


@dataclasses.dataclass
class Subject:
    """One way to check a key.

    `requests` has a request for each genuine key, and `wrong` is the request with a key that nobody issued. `refused` returns the number of
    refusals that the program itself has counted, for answers whose status does not tell.
    """

    name: str
    port: int
    process: int
    requests: list[bytes]
    wrong: bytes
    accepts: Callable[[int, bytes], bool] = lambda status, _: status == 200
    refused: Callable[[], int] = lambda: 0
    uses_postgres: bool = True

    def check(self) -> None:
        """Checks that every key is accepted and that the wrong one is refused."""
        for number, message in enumerate(self.requests):
            status, body = send(self.port, message)
            assert self.accepts(status, body), f"{self.name} refused key {number}: {status} {body!r}"
        status, body = send(self.port, self.wrong)
        assert not self.accepts(status, body) and status < 500, f"{self.name} accepted a wrong key: {status} {body!r}"


def altered(token: str) -> str:
    """Returns a token of the same form whose secret is different."""
    middle = len(token) - 12
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


class Python:
    """The programs of the peers, which run in a virtual environment."""

    def __init__(self, environment: Path, folder: Path, postgres: Postgres, count: int, gunicorn: list[str]) -> None:
        self.bin = environment / "bin"
        self.folder = folder
        self.postgres = postgres
        self.count = count
        self.gunicorn = gunicorn

    @contextlib.contextmanager
    def serve(self, package: str, name: str, server: list[str], port: int, header: str, **variables: str) -> Iterator[Subject]:
        """Creates the database and the keys of a project, and serves it while the body runs. The server is a program and its arguments."""
        database = package
        self.postgres.create(database)
        variables |= {"PEER_DATABASE_HOST": str(self.postgres.folder), "PEER_DATABASE": database}
        variables |= {"PYTHONPATH": str(PROJECTS), "PYTHONDONTWRITEBYTECODE": "1"}
        issue = [str(self.bin / "python3"), "-m", f"{package}.issue", str(self.count)]
        issued = subprocess.run(issue, check=True, stdout=subprocess.PIPE, text=True, timeout=300, env={**ENVIRONMENT, **variables})
        tokens = issued.stdout.split()
        assert len(set(tokens)) == self.count

        def ask(token: str) -> bytes:
            return request("GET", "/orders", {"Authorization": f"{header} {token}"})

        with program([str(self.bin / server[0]), *server[1:]], self.folder, package, **variables) as process:
            wait(f"{name} listens", lambda: is_listening(port), process)
            yield Subject(name, port, process.pid, [ask(token) for token in tokens], ask(altered(tokens[0])))

    def django(self, package: str, name: str, port: int) -> contextlib.AbstractContextManager[Subject]:
        """Serves a Django project behind gunicorn."""
        application = "django.core.wsgi:get_wsgi_application()"
        server = ["gunicorn", application, f"--workers={WORKERS}", f"--bind=127.0.0.1:{port}", "--keep-alive=75", *self.gunicorn]
        return self.serve(package, name, server, port, "Api-Key", DJANGO_SETTINGS_MODULE=f"{package}.settings")

    def fastapi(self, package: str, name: str, port: int) -> contextlib.AbstractContextManager[Subject]:
        """Serves a FastAPI application with uvicorn."""
        server = ["uvicorn", f"{package}.api:app", f"--workers={WORKERS}", f"--port={port}", "--no-access-log", "--log-level=warning"]
        return self.serve(package, name, server, port, "Bearer", SAFE_API_KEYS_PEPPER="p" * 48)


@contextlib.contextmanager
def openbao(environment: Path, folder: Path, port: int, cluster_port: int, count: int) -> Iterator[list[Subject]]:
    """Runs an OpenBao server with integrated storage, unsealed, with service tokens, while the body runs."""
    storage = folder / "openbao"
    storage.mkdir()
    configuration = folder / "openbao.hcl"
    configuration.write_text(f"""
        storage "raft" {{
            path = "{storage}"
            node_id = "node1"
        }}
        listener "tcp" {{
            address = "127.0.0.1:{port}"
            tls_disable = true
        }}
        api_addr = "http://127.0.0.1:{port}"
        cluster_addr = "http://127.0.0.1:{cluster_port}"
    """)

    def call(method: str, path: str, body: dict, token: str = "") -> dict:
        headers = {"X-Vault-Token": token} if token else {}
        status, answer = send(port, request(method, f"/v1/{path}", headers, json.dumps(body)))
        assert status < 300, f"{path}: {status} {answer!r}"
        return json.loads(answer) if answer else {}

    with program([str(environment / "bin" / "bao"), "server", f"-config={configuration}"], folder, "openbao") as process:
        wait("OpenBao listens", lambda: is_listening(port), process)
        wait("OpenBao can be initialized", lambda: send(port, request("GET", "/v1/sys/init", {}))[0] == 200, process)
        initialized = call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        call("PUT", "sys/unseal", {"key": initialized["keys_base64"][0]})
        wait("OpenBao is active", lambda: send(port, request("GET", "/v1/sys/health", {}))[0] == 200, process)
        root = initialized["root_token"]
        policy = 'path "auth/token/lookup" { capabilities = ["update"] }'
        call("PUT", "sys/policies/acl/lookup", {"policy": policy}, root)

        def create(policies: list[str], *, default: bool) -> str:
            body = {"policies": policies, "no_default_policy": not default}
            return call("POST", "auth/token/create", body, root)["auth"]["client_token"]

        tokens = [create([], default=True) for _ in range(count)]

        def look_up(caller: str, token: str) -> bytes:
            return request("POST", "/v1/auth/token/lookup", {"X-Vault-Token": caller}, json.dumps({"token": token}))

        def look_up_self(token: str) -> bytes:
            return request("GET", "/v1/auth/token/lookup-self", {"X-Vault-Token": token})

        questions = {
            "OpenBao `token/lookup`": functools.partial(look_up, create(["lookup"], default=True)),
            "OpenBao `token/lookup`, caller without the policy `default`": functools.partial(look_up, create(["lookup"], default=False)),
            "OpenBao `token/lookup-self`": look_up_self,
        }
        yield [
            Subject(name, port, process.pid, [ask(token) for token in tokens], ask(altered(tokens[0])), uses_postgres=False)
            for name, ask in questions.items()
        ]


class Mortise:
    """Nodes of an installation, one of which keeps keys in memory."""

    def __init__(self, binary: str, folder: Path, postgres: Postgres, count: int, threads: int | None) -> None:
        self.binary = binary
        self.folder = folder
        self.count = count
        self.keys_file = folder / "keys"
        self.variables = {
            "MORTISE_DATABASE_URL": f"host={postgres.folder} user=postgres dbname=mortise",
            "MORTISE_DATA": str(folder / "mortise"),
            "MORTISE_KEYS_OUT": str(self.keys_file),
        }
        if threads is not None:
            self.variables["MORTISE_THREADS"] = str(threads)

    @contextlib.contextmanager
    def run(self, ports: Iterator[int]) -> Iterator[list[Subject]]:
        """Runs the nodes while the body runs."""
        with contextlib.ExitStack() as stack:
            listen, gateway, reading = next(ports), next(ports), next(ports)
            first = stack.enter_context(self.node("mortise", listen, MORTISE_GATEWAY_LISTEN=f"127.0.0.1:{gateway}"))
            second = stack.enter_context(self.node("mortise-reading", reading, MORTISE_CACHE_BYTES="0"))
            found = re.search(r"mka_live_[0-9A-Za-z]+", self.keys_file.read_text())
            assert found, "Mortise wrote no admin key"
            admin = {"Authorization": f"Bearer {found.group()}"}
            tokens = [self.create(listen, admin, number) for number in range(self.count)]
            wrong = altered(tokens[0])

            def verify(token: str) -> bytes:
                return request("POST", "/v1/verify", admin, json.dumps({"token": token, "scopes": [SCOPE]}))

            def authorize(token: str) -> bytes:
                path = f"/v1/authorize/organizations/default;scope={SCOPE}/orders"
                return request("GET", path, {"X-API-Key": token, "X-Forwarded-For": "192.0.2.1"})

            def subject(name: str, port: int, process: int, ask: Callable[[str], bytes], counted: int, **more: object) -> Subject:
                messages = [ask(token) for token in tokens]
                return Subject(name, port, process, messages, ask(wrong), refused=lambda: self.refusals(counted), **more)

            def is_valid(status: int, body: bytes) -> bool:
                return status == 200 and json.loads(body)["valid"] is True

            yield [
                subject("`POST /v1/verify`", listen, first, verify, listen, accepts=is_valid),
                subject("`POST /v1/verify`, no memory", reading, second, verify, reading, accepts=is_valid),
                subject("`/v1/authorize`", gateway, first, authorize, listen),
            ]

    @contextlib.contextmanager
    def node(self, name: str, port: int, **variables: str) -> Iterator[int]:
        """Runs a node while the body runs, and yields its process when it is ready."""
        variables |= {"MORTISE_LISTEN": f"127.0.0.1:{port}", **self.variables}
        with program([self.binary, "serve"], self.folder, name, **variables) as process:
            wait(f"{name} is ready", lambda: send(port, request("GET", "/readyz", {}))[0] == 200, process)
            yield process.pid

    def create(self, port: int, admin: dict[str, str], number: int) -> str:
        """Creates a service key, and returns its token."""
        body = json.dumps({"name": f"key {number}", "scopes": [SCOPE]})
        status, answer = send(port, request("POST", "/v1/workspaces/default/service-keys", admin, body))
        assert status < 300, f"{status} {answer!r}"
        return json.loads(answer)["token"]

    def refusals(self, port: int) -> int:
        """Returns the number of verifications that a node has refused."""
        status, body = send(port, request("GET", "/metrics", {}))
        assert status == 200, status
        counts = re.findall(r'^mortise_verifications_total\{[^}]*code="(\w+)"[^}]*\} (\S+)$', body.decode(), re.MULTILINE)
        assert any(code == "valid" for code, _ in counts), "the server has counted no verification"
        return sum(int(float(count)) for code, count in counts if code != "valid")
