"""Measures the pages of the console with many keys and many workspaces: the time of an answer, and the bytes of a first visit."""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "Tests" / "Console"), str(REPOSITORY / "Tests" / "History")]
import installation  # noqa: E402
import mortise  # noqa: E402

# The goals of a page and of a first visit.
MILLISECONDS, BYTES = 50, 60_000
DATABASE = "mortise"
KEYS = """
    WITH keys AS (
        INSERT INTO auth.service_keys
            (id, kind, name, unique_name, mode, scopes, created_by, created_at, expires_at, disabled_at)
        SELECT gen_random_uuid(), 'service', 'Key ' || n, 'Key ' || n, CASE n % 10 WHEN 0 THEN 'test' ELSE 'live' END,
            ARRAY['read:orders', 'write:stock'], 'platform', now() - n * interval '1 minute',
            CASE n % 7 WHEN 0 THEN now() + n * interval '1 hour' END, CASE n % 50 WHEN 0 THEN now() END
        FROM generate_series(1, {count}) n RETURNING id
    )
    INSERT INTO auth.key_secrets (id, key_id, digest, pepper_id, prefix)
    SELECT gen_random_uuid(), id, sha256(id::text::bytea), 'bench', 'mks_live_' || left(id::text, 6) FROM keys;
    INSERT INTO auth.key_usage (secret_id, key_id, last_used_at)
    SELECT id, key_id, now() - random() * interval '60 days' FROM auth.key_secrets WHERE random() < 0.7;
    VACUUM ANALYZE auth.service_keys; VACUUM ANALYZE auth.key_secrets; VACUUM ANALYZE auth.key_usage;
"""


class Browser:
    """One connection, and the cookies that the console has set."""

    def __init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", mortise.PORT, timeout=60)
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes, float]:
        """Returns the status, the body as it was sent, and the milliseconds until its end."""
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Origin": mortise.URL,
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        start = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        elapsed = (time.perf_counter() - start) * 1000
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, _ = value.partition(";")
                key, _, text = cookie.partition("=")
                self.cookies[key] = text
        return answer.status, content, elapsed

    def sign_in(self, path: str, **fields: str) -> None:
        """Fills the form of a page."""
        _, page, _ = self.send("GET", path)
        secret = re.search(rb'name="csrf" value="([^"]+)"', page).group(1).decode()
        status, _, _ = self.send("POST", path, {"csrf": secret, "next": "", **fields})
        assert status in (200, 302, 303), status


def sql(socket: str, database: str, text: str) -> str:
    """Runs statements, and returns the rows."""
    command = [installation.postgres_program("psql"), "-h", socket, "-U", "postgres", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def postgres(folder: Path):
    """Runs a PostgreSQL server, and yields the folder of its socket."""
    server = installation.Postgres(folder)
    asyncio.run(server.start())
    try:
        yield str(server.folder)
    finally:
        asyncio.run(server.stop())


def first_visit(browser: Browser, path: str) -> int:
    """Returns the bytes of a page and of the files that it names."""
    _, page, _ = browser.send("GET", path)
    files = set(re.findall(rb'(?:href|src)="(/console/assets/[^"]+)"', page))
    return len(page) + sum(len(browser.send("GET", file.decode())[1]) for file in files)


def measure(browser: Browser, name: str, path: str, rounds: int) -> None:
    """Prints the median and the longest time of a page."""
    times = []
    for _ in range(rounds):
        status, _, elapsed = browser.send("GET", path)
        assert status == 200, f"{path}: {status}"
        times.append(elapsed)
    middle = statistics.median(times)
    said = "met" if middle < MILLISECONDS else "MISSED"
    print(f"{name}: {middle:.1f} ms, at most {max(times):.1f} ms (goal under {MILLISECONDS} ms: {said})", flush=True)


def run(folder: Path, keys: int, workspaces: int, rounds: int) -> None:
    """Fills an installation, and measures its pages."""
    with postgres(folder) as socket:
        secrets = folder / "secrets"
        subprocess.run([mortise.program(), "secrets", "new", str(secrets)], check=True, capture_output=True)
        os.environ.update(
            MORTISE_DATABASE_URL=f"host={socket} user=postgres dbname={DATABASE}",
            MORTISE_PEPPER_FILE=str(secrets),
            MORTISE_WORKSPACES_PER_ORGANIZATION="100000",
        )
        with mortise.server() as (api, operator):
            database = sql(socket, DATABASE, "SELECT database FROM control.workspaces WHERE is_default")
            sql(socket, database, KEYS.format(count=keys))
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                path = "/v1/organizations/default/workspaces"
                list(pool.map(lambda n: api.call("POST", path, {"name": f"Tenant {n}"}), range(workspaces)))
            key = sql(socket, database, "SELECT id FROM auth.service_keys WHERE name = 'Key 1'")
            # The page of workspaces begins with the newest ones. The workspace with the keys is among them.
            sql(socket, DATABASE, "UPDATE control.workspaces SET created_at = clock_timestamp() WHERE is_default; ANALYZE")
            browser = Browser()
            print(f"a first visit of the sign-in page: {first_visit(browser, '/console/sign-in'):,} bytes", flush=True)
            browser.sign_in("/console/sign-in", email=mortise.EMAIL, password=mortise.PASSWORD)
            size = first_visit(browser, "/console/")
            said = "met" if size < BYTES else "MISSED"
            print(f"a first visit of the workspaces: {size:,} bytes (goal under {BYTES:,}: {said})", flush=True)
            keys_page = "/console/workspaces/default"
            for name, page in {
                "workspaces": "/console/",
                "keys": keys_page,
                "keys, searched": f"{keys_page}?q=4711",
                "keys, by name": f"{keys_page}?sort=name",
                "keys, by last use": f"{keys_page}?sort=used",
                "keys that are disabled": f"{keys_page}?status=disabled",
                "a key": f"{keys_page}/keys/{key}",
                "events of the workspace": f"{keys_page}/events",
                "events of the organization": "/console/events",
                "members": "/console/members",
            }.items():
                measure(browser, name, page, rounds)
            platform = Browser()
            platform.sign_in("/console/platform/sign-in", key=operator)
            for name, page in {
                "all organizations": "/console/platform/",
                "all workspaces": "/console/platform/workspaces",
                "nodes": "/console/platform/nodes",
                "clusters": "/console/platform/clusters",
            }.items():
                measure(platform, name, page, rounds)


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000, help="the keys of the workspace (default: 100000)")
    parser.add_argument("--workspaces", type=int, default=1000, help="the workspaces beside it (default: 1000)")
    parser.add_argument("--rounds", type=int, default=20, help="the visits of each page (default: 20)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        run(Path(folder), options.keys, options.workspaces, options.rounds)


if __name__ == "__main__":
    main()
