"""Runs nodes under load and faults, and checks that no verification sees a state older than an answered change."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import history
from faults import SHARES, Faults
from history import Log
from installation import Failed, Node, Postgres, Relays, find_program, make_secrets, make_token, started
from load import Load, Settings


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Exit codes: 0 no violation, 1 a violation, 2 the run failed, 3 the run showed too little.",
    )
    parser.add_argument("--minutes", type=float, default=1, help="the time under load (default: 1)")
    parser.add_argument("--nodes", type=int, default=3, help="the number of nodes (default: 3)")
    parser.add_argument("--program", help="the program (default: MORTISE_PROGRAM, or the debug build)")
    parser.add_argument("--seed", type=int, help="the order of faults and changes (default: random)")
    parser.add_argument(
        "--rate", type=float, default=600, help="verifications a second beside those around changes (default: 600)"
    )
    parser.add_argument("--mutators", type=int, default=8, help="the changes that are under way at once (default: 8)")
    parser.add_argument("--calm", type=float, help="seconds without faults at the begin (default: a tenth of the time)")
    parser.add_argument("--fault-every", type=float, default=2.5, help="the mean seconds between faults (default: 2.5)")
    parser.add_argument(
        "--longest", type=float, default=10, help="the longest pause of a node, in seconds (default: 10)"
    )
    parser.add_argument(
        "--faults",
        default=",".join(SHARES),
        help=f"kinds of faults, with commas, or none (default: {','.join(SHARES)})",
    )
    parser.add_argument(
        "--log", type=Path, help="the file of the history, ending in .gz (default: deleted after the run)"
    )
    parser.add_argument("--least-changes", type=int, default=0, help="fail if fewer changes that refuse were answered")
    return parser.parse_args()


async def run(options: argparse.Namespace, folder: Path, path: Path) -> list[Node]:
    """Carries out a run, whose history is then in the log."""
    task = asyncio.current_task()
    assert task
    # The processes of this program must not stay when it is ended.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    program = find_program(options.program)
    admin = make_token(program, "admin")
    seconds = options.minutes * 60
    calm = seconds / 10 if options.calm is None else options.calm
    kinds = {kind: SHARES[kind] for kind in options.faults.split(",") if kind != "none"}
    postgres = Postgres(folder)
    await postgres.start()
    relays = await Relays.start(postgres.socket, options.nodes)
    log = Log(path)
    environment = {
        "MORTISE_PEPPER_FILE": make_secrets(program, folder),
        "MORTISE_ADMIN_KEY": admin,
        "MORTISE_OPERATOR_KEY": make_token(program, "operator"),
    }
    nodes = [
        Node(
            number,
            folder,
            program,
            {**environment, "MORTISE_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/mortise?sslmode=disable"},
        )
        for number, port in enumerate(relays.ports)
    ]
    try:
        async with started(nodes):
            chance = random.Random(options.seed)
            settings = Settings(rate=options.rate, mutators=options.mutators)
            load = Load(nodes, admin, log, settings, chance)
            await load.prepare()
            faults = Faults(
                nodes, postgres, relays, log, chance, kinds=kinds, pause=options.fault_every, longest=options.longest
            )
            await load.run(seconds, faults.run(calm, max(0, seconds - calm - options.longest)) if kinds else None)
            for node in nodes:
                await node.sample()
    finally:
        await relays.stop()
        await postgres.stop()
        log.close()
    return nodes


def main() -> int:
    """Runs, checks and reports."""
    options = arguments()
    options.seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    # A Unix socket's path is short, and PostgreSQL's user must enter the folder.
    folder = Path(tempfile.mkdtemp(prefix="history", dir="/tmp"))
    folder.chmod(0o755)
    path = options.log or folder / "history.gz"
    print(
        f"{options.nodes} nodes, {options.minutes:g} minutes, seed {options.seed}, faults {options.faults}", flush=True
    )
    try:
        nodes = asyncio.run(run(options, folder, path))
        report = history.check(path)
    except Failed as error:
        print(f"the run failed: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(report.lines()))
    verified = sum(node.totals.get("mortise_verifications_total", 0) for node in nodes)
    reads = sum(node.totals.get("mortise_key_reads_total", 0) for node in nodes)
    print(f"by the nodes' counts: {verified:.0f} verifications, {reads:.0f} reads, {verified - reads:.0f} from memory")
    if report.violations:
        return 1
    # A run without hits, refusals, changes or faults would have shown nothing.
    shown = {
        "a verification from memory": verified > reads,
        "an accepted verification": report.verdicts["valid"] > 0,
        "a refusal after a change by each door": all(
            report.probes[f"refused on {door}"] > 0 for door in ("verify", "batch", "authorize", "grpc", "credential")
        ),
        f"{options.least_changes} changes": report.refusing >= max(1, options.least_changes),
        "a fault": options.faults == "none" or bool(report.faults),
    }
    missing = [name for name, is_shown in shown.items() if not is_shown]
    if missing:
        print(f"the run lacks {', '.join(missing)}")
    return 3 if missing else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
