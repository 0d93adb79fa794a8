#!/usr/bin/env bash
# Walks through the console in Chromium, with scripts and without, checks every page with axe, and follows docs/walk.md as printed: see
# Tests/Console/README.md. The server is the debug build, or the program that MORTISE_PROGRAM names.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
export PYTHONDONTWRITEBYTECODE=1
if [[ ${CONSOLE_ONLY-} != walk ]]; then .venv/bin/python3 Tests/Console/run.py "$@"; fi
if [[ -z ${CONSOLE_ONLY-} || $CONSOLE_ONLY == walk ]]; then
    # The test of the README's examples listens at the same address, and runs at the same time.
    mkdir -p .build
    exec 9>.build/port-8080.lock
    flock --timeout 900 9 || { echo "Another test has used 127.0.0.1:8080 for 15 minutes." >&2; exit 1; }
    .venv/bin/python3 Tests/Console/walk.py 9>&-
fi
