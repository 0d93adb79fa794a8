#!/usr/bin/env bash
# Runs three nodes for a minute under load and faults, and checks that no verification sees a state older than an answered change: see
# Tests/History/README.md. The program is the debug build, or the one that MORTISE_PROGRAM names. Arguments go to Tests/History/run.py.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHONDONTWRITEBYTECODE=1 python3 Tests/History/run.py --minutes 1 --rate 300 --mutators 4 "$@"
