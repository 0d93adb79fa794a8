#!/usr/bin/env bash
# Makes failovers of a Patroni cluster under the load and the checker of scripts/test-history.sh (about 10 minutes): see
# Tests/History/patroni.py. Needs the Debian packages patroni and etcd-server. The program is the release build, or the one that
# MORTISE_PROGRAM names. Arguments go to patroni.py.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/packages.sh
missing=()
command -v patroni >/dev/null || missing+=(patroni)
command -v etcd >/dev/null || missing+=(etcd-server)
install_packages "${missing[@]}"
MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(swift build -c release --show-bin-path)/mortise}
export MORTISE_PROGRAM PYTHONDONTWRITEBYTECODE=1
python3 Tests/History/patroni.py "$@"
