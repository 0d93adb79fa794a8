#!/usr/bin/env bash
# Walks through the console in Chromium, with scripts and without, and checks every page with axe: see Tests/Console/README.md. The server is
# the debug build, or the program that MORTISE_PROGRAM names.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 Tests/Console/run.py "$@"
