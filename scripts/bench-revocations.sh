#!/usr/bin/env bash
# Measures how soon a change of keys counts on every node, with three nodes: see Benchmarks/revocations/run.py. --help lists the options.
# MORTISE_PROGRAM names the release build; without it, the script builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ " $* " == *" --help "* ]] || export MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
PYTHONDONTWRITEBYTECODE=1 exec .venv/bin/python3 Benchmarks/revocations/run.py "$@"
