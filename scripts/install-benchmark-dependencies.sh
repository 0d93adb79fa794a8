#!/usr/bin/env bash
# Installs what only the benchmarks need: wrk and h2load, which load the server, and pgbench and nginx, which are yardsticks.
set -euo pipefail
cd "$(dirname "$0")"
source ./packages.sh

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v h2load >/dev/null || missing+=(nghttp2-client)
PATH=$PATH:/usr/sbin command -v nginx >/dev/null || missing+=(nginx-light)
command -v pgbench >/dev/null || missing+=(postgresql-contrib)
install_packages "${missing[@]}"
