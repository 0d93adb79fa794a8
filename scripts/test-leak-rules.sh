#!/usr/bin/env bash
# Runs gitleaks and kingfisher with the rules of examples/leaks over a folder with genuine tokens of every kind and with texts that resemble
# them, and checks that each finds the tokens and nothing else. Neither Debian nor PyPI has trufflehog, so LeakScannerTests checks the
# regular expression of its rule alone. The server is the debug build, or the program that MORTISE_PROGRAM names.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
program=${MORTISE_PROGRAM:-$(swift build --show-bin-path)/mortise}
work=$(mktemp -d)
chmod 755 "$work"
server=
finish() {
    [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    rm -rf "$work"
}
trap finish EXIT

MORTISE_DATA=$work/data MORTISE_LISTEN=127.0.0.1:0 MORTISE_KEYS_OUT=$work/keys "$program" serve >"$work/log" 2>&1 &
server=$!
for _ in $(seq 1200); do
    grep -q '"message":"listening"' "$work/log" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
port=$(sed -n 's/.*"message":"listening".*"address":"[^"]*:\([0-9]*\)".*/\1/p' "$work/log")
[[ -n $port ]] || { cat "$work/log" >&2; exit 1; }

python3 - "$work" "http://127.0.0.1:$port" <<'PYTHON'
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

work, url = Path(sys.argv[1]), sys.argv[2]
rules, programs = Path("examples/leaks").resolve(), Path(".venv/bin").resolve()


def call(path: str, body: dict | None = None) -> dict:
    request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {admin}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def wait() -> None:
    """Waits until the key works: a node that has just started answers 503 until it has its lease."""
    end = time.monotonic() + 120
    while True:
        try:
            call("/v1/me")
            return
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > end:
                raise
        time.sleep(0.05)


first = re.findall(r"mk[ao]_live_\w+", (work / "keys").read_text())
admin = next(token for token in first if token.startswith("mka_"))
wait()
tokens = list(first)
for mode in ("live", "test"):
    keys = "/v1/workspaces/default/service-keys"
    tokens.append(call(keys, {"name": f"Service, {mode}", "mode": mode})["token"])
    tokens.append(call(keys, {"name": f"Publishable, {mode}", "mode": mode, "type": "anon"})["token"])
    body = {"name": f"Client, {mode}", "mode": mode, "subject": "user_1042"}
    tokens.append(call("/v1/workspaces/default/client-keys", body)["token"])
    body = {"name": f"Admin, {mode}", "mode": mode, "permissions": ["keys:verify"]}
    tokens.append(call("/v1/organizations/default/admin-keys", body)["token"])
tokens.append(call("/clerk/v1/api_keys", {"name": "Clerk", "subject": "user_2xKNSXqcBlZHZGxXVHAMkLCBGHt"})["secret"])
kinds = {token.rsplit("_", 1)[0] for token in tokens}
assert kinds == {f"{kind}_{mode}" for kind in ("mks", "mkp", "mkc", "mka") for mode in ("live", "test")} | {"mko_live", "ak_live"}, kinds

# Each token in one of the forms in which tokens are committed.
forms = [
    ".env: MORTISE_TOKEN={}\n", "settings.json: {{\"token\": \"{}\"}}\n", "settings.yaml: token: {}\n", "client.py: KEY = '{}'\n",
    "deploy.sh: curl -H 'Authorization: Bearer {}' https://keys.example.com/v1/verify\n", "page.html: <a href=\"/x?key={}&y\">\n",
    "server.log: 2026-01-01T00:00:00Z refused {}, again\n",
]
repository = work / "repository"
repository.mkdir()
for index, token in enumerate(tokens):
    name, text = forms[index % len(forms)].split(": ", 1)
    with (repository / name).open("a") as file:
        file.write(text.format(token))
genuine = next(token for token in tokens if token.startswith("mks_live_"))
secret = genuine.removeprefix("mks_live_")
(repository / "resembling.txt").write_text("\n".join([
    f"x{genuine}", f"{genuine}x", genuine[:-1], genuine.replace("_", "-"), f"sk_live_{secret}", f"mkz_live_{secret}", f"mks_prod_{secret}",
    f"mks__live_{secret}", f"MKS_LIVE_{secret}", f"mks_live_{secret[:20]}-{secret[21:]}", "mks_live_" + "a" * 46, secret,
]) + "\n")

# Programs that ask no server, neither for updates nor for the worth of what they find.
commands = {
    "gitleaks": ["dir", ".", "--config", rules / "gitleaks.toml", "--no-banner", "--log-level", "error", "--exit-code", "0"]
    + ["--report-format", "json", "--report-path", work / "gitleaks.json"],
    "kingfisher": ["scan", ".", "--rules-path", rules / "kingfisher.yml", "--load-builtins", "false", "--no-validate", "--no-update-check"]
    + ["--quiet", "--format", "json", "--output", work / "kingfisher.json", "--rule-cache-dir", work / "cache"],
}
# The status with which each says that it has found something.
statuses = {"gitleaks": 0, "kingfisher": 200}
for name, arguments in commands.items():
    environment = {**os.environ, "HOME": str(work)}
    ended = subprocess.run([programs / name, *arguments], cwd=repository, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == statuses[name], f"{name} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
    report = json.loads((work / f"{name}.json").read_text())
    found = [finding["Secret"] for finding in report] if name == "gitleaks" else [
        finding["finding"]["snippet"] for finding in report["findings"]
    ]
    missed, wrong = set(tokens) - set(found), set(found) - set(tokens)
    assert not missed and not wrong, f"{name} misses {missed} and finds {wrong}"
    assert len(found) == len(tokens), f"{name} finds a token twice: {found}"
    print(f"ok: {name} finds {len(found)} tokens and nothing else")
PYTHON
