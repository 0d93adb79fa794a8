#!/usr/bin/env bash
# Measures the checks of gateways against yardsticks of the same run: see Benchmarks/gateways/run.py. --help lists the options.
# MORTISE_PROGRAM names the release build; without it, the script builds one.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ " $* " == *" --help "* ]] || export MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
PATH=$PATH:/usr/sbin PYTHONDONTWRITEBYTECODE=1 exec .venv/bin/python3 Benchmarks/gateways/run.py "$@"
