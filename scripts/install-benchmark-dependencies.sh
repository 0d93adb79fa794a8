#!/usr/bin/env bash
# Installs what only the benchmarks need: wrk, which loads the server, and pgbench, which is the yardstick.
set -euo pipefail
cd "$(dirname "$0")"
source ./packages.sh

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v pgbench >/dev/null || missing+=(postgresql-contrib)
install_packages "${missing[@]}"
