#!/usr/bin/env bash
# Measures the pages of the console with 100,000 keys and 1,000 workspaces: see Benchmarks/console/run.py. --help lists the options.
# MORTISE_PROGRAM names the release build; without it, the script builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ " $* " == *" --help "* ]] || export MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
PYTHONDONTWRITEBYTECODE=1 exec .venv/bin/python3 Benchmarks/console/run.py "$@"
