"""Starts a gateway with its file from examples/, a real Mortise and an API, and checks what a client and the API see."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc_client

REPOSITORY = Path(__file__).resolve().parents[2]
MORTISE = ("127.0.0.1", 18_082)
GATEWAY = ("127.0.0.1", 8000)
API = ("127.0.0.1", 9000)
# Envoy takes 127.0.0.1 for the machine itself and hides it.
CLIENT = "127.0.0.2"


class Answer:
    """The status, the headers and the JSON body of an answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        body = response.read()
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.json}"


def send(address, method, path, headers=(), body=None) -> Answer:
    """Sends one request on a connection of its own, with the headers exactly as they are given."""
    source = (CLIENT, 0) if address == GATEWAY else None
    connection = http.client.HTTPConnection(*address, timeout=120, source_address=source)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        data = b"" if body is None else json.dumps(body).encode()
        if data:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        return Answer(connection.getresponse())


class Api(http.server.BaseHTTPRequestHandler):
    """The API behind the gateway, which answers with the headers of the request."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


class ApiServer(http.server.ThreadingHTTPServer):
    """The server of the API. A gateway may reset a connection that it keeps."""

    def handle_error(self, *_: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*_)


def wait(what: str, condition) -> None:
    """Waits up to ten minutes for a condition."""
    end = time.monotonic() + 600
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within ten minutes")


@contextlib.contextmanager
def program(arguments, folder, name, **environment):
    """Runs a program while the body runs, and shows its log if the body fails."""
    log = Path(folder, f"{name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env={**os.environ, **environment}
        )
    try:
        yield process, log
    except BaseException:
        print(f"== {name} said:\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        raise
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nginx(folder: str) -> list[str]:
    """The command for nginx, whose main file includes the example as /etc/nginx/nginx.conf includes conf.d."""
    main = Path(folder, "nginx.conf")
    main.write_text(f"""
        daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
        events {{}}
        http {{
            access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            include {REPOSITORY}/examples/nginx/*.conf;
        }}
    """)
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(main), "-p", folder]


def caddy(_: str) -> list[str]:
    """The command for Caddy."""
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{REPOSITORY}/examples/caddy/Caddyfile"]


def haproxy(folder: str) -> list[str]:
    """The command for HAProxy, which reads its files from the folder that it runs in."""
    copy("haproxy", folder)
    return [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", "haproxy.cfg"]


def traefik(folder: str) -> list[str]:
    """The command for Traefik, which reads its files from the folder that it runs in."""
    copy("traefik", folder)
    return [python_program("traefik"), "--configFile=traefik.yaml"]


def envoy(_: str) -> list[str]:
    """The command for Envoy."""
    return [python_program("envoy"), "--disable-hot-restart", "-c", f"{REPOSITORY}/examples/envoy/envoy.yaml"]


def envoy_grpc(_: str) -> list[str]:
    """The command for Envoy that asks over gRPC."""
    return [python_program("envoy"), "--disable-hot-restart", "-c", f"{REPOSITORY}/examples/envoy/envoy-grpc.yaml"]


def copy(name: str, folder: str) -> None:
    """Copies the files of an example into a folder."""
    for file in Path(REPOSITORY, "examples", name).iterdir():
        shutil.copy(file, folder)


def python_program(name: str) -> str:
    """The path of a program that a Python package holds."""
    found = [
        path
        for folder in [Path(sys.prefix, "bin"), *map(Path, sys.path)]
        for path in [folder / name, *folder.glob(f"{name}*/_bin/{name}*"), *folder.glob(f"{name}*/bin/{name}*")]
        if path.is_file() and os.access(path, os.X_OK)
    ]
    assert found, f"{name} is not installed in {sys.prefix}"
    return str(found[0])


COMMANDS = {
    "nginx": nginx,
    "caddy": caddy,
    "haproxy": haproxy,
    "traefik": traefik,
    "envoy": envoy,
    "envoy-grpc": envoy_grpc,
}


class Keys:
    """Creates and changes keys of the organization `default`."""

    def __init__(self, admin: str) -> None:
        self.headers = [("Authorization", f"Bearer {admin}")]

    def call(self, method: str, path: str, body=None) -> Answer:
        answer = send(MORTISE, method, path, self.headers, body)
        assert answer.status < 300, answer
        return answer

    def create(self, name: str, scopes=("read:orders",), **settings) -> tuple[str, str]:
        body = {"name": name, "scopes": list(scopes), **settings}
        made = self.call("POST", "/v1/workspaces/default/service-keys", body).json
        return made["key"]["id"], made["token"]

    def revoke(self, key: str) -> None:
        self.call("POST", f"/v1/workspaces/default/service-keys/{key}/revoke")


def check(keys: Keys, stop_mortise) -> None:
    """Checks what a client may and may not do through the gateway."""

    def ask(token=None, path="/orders?since=1", *more) -> Answer:
        headers = list(more)
        if token is not None:
            headers.append(("X-API-Key", token))
        return send(GATEWAY, "GET", path, headers)

    key, token = keys.create("orders")
    # A node that has just started answers 503 until it has its lease.
    wait("a key is let in", lambda: ask(token).status == 200)
    let_in = ask(token)
    assert let_in.status == 200, let_in
    seen = dict(let_in.json)
    assert seen["x-mortise-key-id"] == key and seen["x-mortise-scopes"] == "read:orders", seen
    assert seen["x-mortise-name"] == "orders" and seen["x-mortise-kind"] == "service", seen
    assert token not in json.dumps(let_in.json), "the API got the key"
    assert ask(None, "/", ("Authorization", f"Bearer {token}")).status == 200
    print("  let in, with the identity and without the key")

    for refused in [ask(), ask("nonsense"), ask("mk_live_" + "0" * 40)]:
        assert refused.status == 401 and "bearer" in refused.headers["www-authenticate"].lower(), refused
    _, weak = keys.create("weak", scopes=["read:other"])
    assert ask(weak).status == 403, ask(weak)
    print("  refused: no key, a wrong one, a missing scope")

    # The attack: a client writes the options, the identity or an address itself.
    for path in ["/;scope=read:other/", "/?;scope=read:other", "/..;scope=read:other/", "/%3Bscope=read:other/"]:
        assert ask(weak, path).status == 403, path
    forged = [
        (name, "forged")
        for name in ["X-Mortise-Subject", "X_Mortise_Subject", "X.Mortise.Subject", "X-Mortise-Key", "x-mortise-name"]
    ]
    for name, value in ask(token, "/", *forged).json:
        like = re.sub("[^a-z0-9]", "-", name)
        assert not like.startswith("x-mortise") or value != "forged", name
    # The attack: a client names the identity in Connection, so that a proxy removes it on its way to the API.
    removal = ask(token, "/", ("Connection", "X-Mortise-Scopes, X-Mortise-Subject"))
    assert removal.status == 400 or ["x-mortise-scopes", "read:orders"] in removal.json, removal
    _, bound = keys.create("bound", allowed_ips=["192.0.2.7"])
    assert ask(bound, "/", ("X-Forwarded-For", "192.0.2.7")).status == 403
    assert ask(bound, "/", ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "192.0.2.7")).status == 403
    _, here = keys.create("here", allowed_ips=[CLIENT])
    assert ask(here, "/", ("X-Forwarded-For", "192.0.2.7")).status == 200
    print("  refused: options, identities and addresses that a client writes or removes")

    # The fault: the headers of a key are longer than a buffer of the gateway, and the key is refused for good.
    scopes = ["read:orders", *(f"{index:064}:{index:064}" for index in range(99))]
    _, long = keys.create("\u00e9" * 255, scopes)
    seen = dict(ask(long).json)
    assert seen["x-mortise-scopes"] == " ".join(scopes) and len(seen["x-mortise-name"]) == 1530, seen
    print("  let in, with as many scopes as a key can have")

    _, limited = keys.create("limited", rate_limit_per_minute=2)
    answers = [ask(limited) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429], answers
    assert int(answers[2].headers["retry-after"]) >= 1 and "r=0" in answers[2].headers["ratelimit"], answers[2]
    print("  over the limit: 429 with Retry-After")

    keys.revoke(key)
    assert ask(token).status == 401
    print("  revoked between two requests: 401")

    keys.call("POST", "/v1/workspaces/default/suspend")
    # A node that has lost its lease for a moment answers 503.
    wait("a suspended workspace is refused", lambda: ask(here).status == 403)
    print("  suspended: 403")
    keys.call("POST", "/v1/workspaces/default/resume")
    wait("the workspace is back", lambda: ask(here).status == 200)

    stop_mortise()
    stopped = ask(here)
    assert stopped.status in (500, 502, 503), stopped
    print(f"  Mortise stopped: nobody gets in ({stopped.status})")


def check_broken_script(folder: str) -> None:
    """Checks that HAProxy lets nobody in while its script fails, after which HAProxy itself goes on."""
    command = haproxy(folder)
    script = Path(folder, "mortise.lua")
    script.write_text(script.read_text().replace("http://127.0.0.1:8081/", "nonsense/"))
    with program(command, folder, "haproxy-broken"):
        wait("HAProxy listens", lambda: send(GATEWAY, "GET", "/").status > 0)
        broken = send(GATEWAY, "GET", "/")
        assert broken.status == 503 and broken.headers["retry-after"] == "2", broken
    print("  a script that fails: nobody gets in (503)")


def burst(keys: Keys) -> None:
    """Sends as many requests at once as a gateway that was just started may get, each over a connection of its own.

    Envoy asks about all of them at once, over connections to Mortise whose limits it does not know yet.
    """
    count = 600
    key, token = keys.create("burst", ["read:other"])
    together = threading.Barrier(count)

    def ask(_: int) -> Answer:
        connection = http.client.HTTPConnection(*GATEWAY, timeout=120, source_address=(CLIENT, 0))
        with contextlib.closing(connection):
            connection.connect()
            together.wait(120)
            connection.request("GET", "/orders", headers={"X-API-Key": token})
            return Answer(connection.getresponse())

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(ask, range(count)))
    wrong = [answer for answer in answers if answer.headers.get("x-mortise-reason") != "insufficient_scope"]
    assert not wrong, f"{len(wrong)} of {count} requests have no verdict: {wrong[0]}"
    keys.revoke(key)
    print("  many requests at once: each has its verdict")


def main(name: str) -> None:
    """Runs the checks for a gateway."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        api = ApiServer(API, Api)
        stack.callback(api.server_close)
        threading.Thread(target=api.serve_forever, daemon=True).start()
        stack.callback(api.shutdown)
        binary = os.environ.get("MORTISE_PROGRAM") or f"{REPOSITORY}/.build/debug/mortise"
        mortise, log = stack.enter_context(
            program(
                [binary, "serve"],
                folder,
                "mortise",
                MORTISE_DATA=f"{folder}/data",
                MORTISE_LISTEN="%s:%d" % MORTISE,
                MORTISE_GATEWAY_LISTEN="127.0.0.1:8081",
                MORTISE_GRPC_LISTEN="127.0.0.1:8082",
            )
        )
        wait("Mortise is ready", lambda: send(MORTISE, "GET", "/readyz").status == 200)
        admin = re.search(r"mka_live_[0-9A-Za-z]+", log.read_text()).group()
        if name == "grpcio":
            return grpc_client.check(Keys(admin), "127.0.0.1:8082")
        if name == "haproxy":
            check_broken_script(folder)
        stack.enter_context(program(COMMANDS[name](folder), folder, name, HOME=folder))
        wait(f"{name} listens", lambda: send(GATEWAY, "GET", "/").status == 401)
        if name == "envoy-grpc":
            burst(Keys(admin))

        def stop() -> None:
            mortise.terminate()
            mortise.wait(300)

        check(Keys(admin), stop)


if __name__ == "__main__":
    main(sys.argv[1])
