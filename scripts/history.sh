#!/usr/bin/env bash
# The long form of scripts/test-history.sh: the release build, with three nodes and then with five, at least 5,000 changes each, and the
# logs kept in .build/history. --minutes N is the time of each run (default: 20). Other arguments go to Tests/History/run.py, too.
set -euo pipefail
cd "$(dirname "$0")/.."
MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(swift build -c release --show-bin-path)/mortise}
export MORTISE_PROGRAM PYTHONDONTWRITEBYTECODE=1
folder=.build/history
mkdir -p "$folder"
for nodes in 3 5; do
    log=$folder/$(date +%Y%m%dT%H%M%S)-$nodes
    python3 Tests/History/run.py --minutes 20 --nodes "$nodes" --least-changes 5000 --log "$log.gz" "$@" 2>&1 | tee "$log.txt"
done
