"""Runs a real Mortise with data, and calls its API."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PORT = 18_085
URL = f"http://127.0.0.1:{PORT}"
EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
PROVIDER_PORT = 18_086
# Another site than the console's, as for browsers localhost is another site than 127.0.0.1.
PROVIDER = f"http://localhost:{PROVIDER_PORT}"
PEOPLE = [
    {"sub": "grace-1", "email": "Grace@example.org", "email_verified": True},
    {"sub": "mallory-1", "email": EMAIL, "email_verified": False},
    {"sub": "stranger-1", "email": "stranger@example.org", "email_verified": True},
]


class Api:
    """The native API with one credential."""

    def __init__(self, token: str) -> None:
        self.token = token

    def call(self, method: str, path: str, body: object = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(URL + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def verdict(self, token: str, **demands: object) -> str:
        return self.call("POST", "/v1/verify", {"token": token, **demands})["code"]

    def key_names(self, workspace: str = "default", family: str = "service-keys") -> list[str]:
        return [key["name"] for key in self.call("GET", f"/v1/workspaces/{workspace}/{family}?limit=100")["data"]]


def program() -> str:
    return os.environ.get("MORTISE_PROGRAM") or str(REPOSITORY / ".build/debug/mortise")


@contextlib.contextmanager
def running(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """Runs a program while the body runs, and prints its log if the body fails."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield process
    except BaseException:
        print(f"== {Path(command[0]).name} said:\n{log.read_text(errors='replace')[-6000:]}", file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def server() -> Iterator[tuple[Api, str]]:
    """Runs a server while the body runs. Returns the API of the first admin key, and the token of the operator key."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        keys = Path(folder, "keys")
        log = Path(folder, "log")
        environment = {
            **os.environ,
            "MORTISE_DATA": str(Path(folder, "data")),
            "MORTISE_LISTEN": f"127.0.0.1:{PORT}",
            "MORTISE_KEYS_OUT": str(keys),
            "MORTISE_ADMIN_EMAIL": EMAIL,
            "MORTISE_ADMIN_PASSWORD": PASSWORD,
            "MORTISE_WEBHOOK_ALLOW": "127.0.0.0/8",
            "MORTISE_OIDC_ISSUER": PROVIDER,
            "MORTISE_OIDC_CLIENT_ID": "mortise",
            "MORTISE_OIDC_CLIENT_SECRET": "a secret of tests",
            "MORTISE_OIDC_NAME": "Example Login",
        }
        with running([program(), "serve"], log, environment) as process:
            wait_until_ready(process)
            tokens = [word for word in keys.read_text().split() if word.startswith(("mka_", "mko_"))]
            admin = next(token for token in tokens if token.startswith("mka_"))
            operator = next(token for token in tokens if token.startswith("mko_"))
            yield Api(admin), operator


class Receiver:
    """A receiver of webhooks: the requests that came, and the status that it answers."""

    def __init__(self) -> None:
        self.requests: list[tuple[bytes, dict[str, str]]] = []
        self.status = 204
        self.url = ""


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Runs a receiver of webhooks while the body runs."""
    state = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(state.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        state.url = f"http://127.0.0.1:{web.server_port}/hook"
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            web.shutdown()
            thread.join()


@contextlib.contextmanager
def provider() -> Iterator[None]:
    """Runs an OpenID provider that others have written, while the body runs."""
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(PROVIDER_PORT), "--require-nonce", "true"]
    for person in PEOPLE:
        command += ["--user-claims", json.dumps(person)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + 60
            while True:
                assert process.poll() is None and time.monotonic() < end, "the provider does not answer"
                with contextlib.suppress(OSError):
                    with urllib.request.urlopen(f"{PROVIDER}/.well-known/openid-configuration", timeout=5):
                        break
                time.sleep(0.1)
            yield
        except BaseException:
            output.seek(0)
            print(f"== the provider said:\n{output.read().decode(errors='replace')[-3000:]}", file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(process: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "mortise has ended"
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"{URL}/readyz", timeout=5):
                return
        time.sleep(0.1)
    raise AssertionError("mortise was not ready within two minutes")


PROGRAMS = [
    ("Checkout service", ["read:orders", "write:orders", "write:payments"]), ("Invoice worker", ["read:invoices", "write:invoices"]),
    ("CI of billing", ["read:*"]), ("Partner: Northwind", ["read:orders"]), ("Partner: Contoso", ["read:orders", "read:stock"]),
    ("Mobile app, iOS", ["read:catalog"]), ("Mobile app, Android", ["read:catalog"]), ("Warehouse scanner", ["write:stock"]),
    ("Nightly export", ["read:*"]), ("Fraud check", ["read:orders", "read:customers"]), ("Support desk", ["read:customers"]),
    ("Load test", ["read:*", "write:*"]), ("Status page", ["read:health"]), ("Data lake", ["read:*"]),
]


def fill(api: Api) -> dict[str, str]:
    """Creates workspaces, keys and uses, as an organization has them after some time. Returns tokens by the names of keys."""
    tokens: dict[str, str] = {}
    for name in ("Production", "Staging", "Acme Logistics"):
        api.call("POST", "/v1/organizations/default/workspaces", {"name": name})
    for index, (name, scopes) in enumerate(PROGRAMS):
        body: dict[str, object] = {"name": name, "scopes": scopes, "description": f"Owned by team {'ABC'[index % 3]}"}
        if "app" in name:
            body["type"] = "anon"
        if "test" in name.lower() or "CI" in name:
            body["mode"] = "test"
        if index % 4 == 1:
            body["expires_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 * (9 + 40 * (index // 4))))
        if name == "Warehouse scanner":
            body["allowed_ips"] = ["192.0.2.0/24"]
        if name == "Status page":
            body["rate_limit_per_minute"] = 20
        issued = api.call("POST", "/v1/workspaces/production/service-keys", body)
        tokens[name] = issued["token"]
        path = f"/v1/workspaces/production/service-keys/{issued['key']['id']}"
        if name == "Partner: Contoso":
            api.call("POST", f"{path}/disable")
        if name == "Data lake":
            api.call("POST", f"{path}/revoke", {"reason": "The pipeline has moved to another account."})
        if name == "Invoice worker":
            tokens[f"{name}, new"] = api.call("POST", f"{path}/rotate", {"grace_period_seconds": 604800})["token"]
    for name in ("Console demo", "Migration helper"):
        api.call("POST", "/v1/workspaces/staging/service-keys", {"name": name, "mode": "test"})
    for subject in ("user_1042", "user_2200", "org_northwind"):
        issued = api.call(
            "POST", "/v1/workspaces/production/client-keys", {"name": f"Personal key of {subject}", "subject": subject}
        )
        tokens[subject] = issued["token"]
    for name, count in (("Checkout service", 210), ("Invoice worker", 60), ("Status page", 45), ("Fraud check", 30)):
        for _ in range(count // 10):
            requests = [{"token": tokens[name]} for _ in range(10)]
            api.call("POST", "/v1/verify/batch", {"requests": requests})
    for name in ("Partner: Contoso", "Data lake", "Warehouse scanner"):
        for _ in range(9):
            api.verdict(tokens[name])
    for _ in range(14):
        api.verdict(tokens["Checkout service"], scopes=["delete:orders"])
    return tokens
