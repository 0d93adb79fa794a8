"""Runs a real Mortise server with a PostgreSQL of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from mortise import SecretToken

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("MORTISE_PROGRAM", REPOSITORY / ".build/debug/mortise"))
ADMIN_EMAIL = "owner@example.com"
ADMIN_PASSWORD = SecretToken("correct horse battery staple")
# The time limits of a client of the server, which a busy machine does not reach. A debug build takes seconds to hash a
# password.
PATIENT = {"timeout": 3600.0, "attempt_timeout": 3600.0}


@dataclass(frozen=True)
class MortiseServer:
    """A running server and the keys of its first start."""

    url: str
    operator: SecretToken
    admin: SecretToken
    log: Path


class RunningServer:
    """Starts a server, and ends it at the end of a `with` block."""

    def __enter__(self) -> MortiseServer:
        if not PROGRAM.exists():
            raise RuntimeError(f"{PROGRAM} does not exist. Build it with `swift build`, or set MORTISE_PROGRAM.")
        # PostgreSQL does not run as root. Its user must reach the data folder.
        self._folder = Path(tempfile.mkdtemp(prefix="mortise-python-"))
        self._folder.chmod(0o711)
        log, out = self._folder / "log", self._folder / "out"
        password = self._folder / "password"
        password.write_text(ADMIN_PASSWORD.reveal())
        command = [PROGRAM, "serve", "--data", self._folder / "data", "--listen", "127.0.0.1:0"]
        command += ["--webhook-allow", "127.0.0.0/8"]
        command += ["--admin-email", ADMIN_EMAIL, "--admin-password-file", password]
        with log.open("wb") as log_file, out.open("wb") as out_file:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("MORTISE_")}
            self._process = subprocess.Popen(command, stdout=out_file, stderr=log_file, env=environment)
        try:
            url = f"http://{self._address(log)}"
            keys = re.findall(r"mk[oa]_live_\w+", out.read_text())
            return MortiseServer(url, SecretToken(keys[0]), SecretToken(keys[1]), log)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(600)
        finally:
            self._process.kill()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _address(self, log: Path) -> str:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            for line in log.read_text().splitlines():
                record = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
                if record.get("message") == "listening":
                    return record["address"].rpartition("/")[2]
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"The server did not start:\n{log.read_text()}")
