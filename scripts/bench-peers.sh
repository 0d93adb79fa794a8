#!/usr/bin/env bash
# Compares Mortise with other programs that check keys, at the same load on this machine: see Benchmarks/peers/README.md. The program is the
# release build, or the one that MORTISE_PROGRAM names. Arguments go to run.py; --help lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
scripts/install-benchmark-dependencies.sh
python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
export MORTISE_PROGRAM PYTHONDONTWRITEBYTECODE=1
exec python3 Benchmarks/peers/run.py "$@"
