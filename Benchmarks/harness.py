"""What the benchmarks that run an installation of their own have in common."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "History"))
from installation import Failed  # noqa: E402


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options of every such benchmark."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--program", help="the release build of mortise (default: MORTISE_PROGRAM)")
    made.add_argument(
        "--without-sync", action="store_true", help="let PostgreSQL answer commits before they are on the disk"
    )
    return made


def carry_out(name: str, run: Callable[[Path], Awaitable[None]]) -> int:
    """Runs a benchmark in a folder that is removed afterwards, and returns the exit code of this program."""
    os.umask(0o022)
    # A Unix socket's path is short, and PostgreSQL's user must enter the folder.
    folder = Path(tempfile.mkdtemp(prefix=name, dir="/tmp"))
    folder.chmod(0o755)

    async def begin() -> None:
        task = asyncio.current_task()
        assert task
        # The processes of this program must not stay when it is ended.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await run(folder)

    status = 0
    try:
        asyncio.run(begin())
    except* Failed as errors:
        print(f"the run failed: {errors.exceptions[0]}", file=sys.stderr)
        status = 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return status
