#!/usr/bin/env bash
# Measures a tenant beside another one that does harm: see Benchmarks/strangers/run.py. --help lists the options.
# MORTISE_PROGRAM names the release build; without it, the script builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ " $* " == *" --help "* ]] || export MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
PYTHONDONTWRITEBYTECODE=1 exec .venv/bin/python3 Benchmarks/strangers/run.py "$@"
