#!/usr/bin/env bash
# `swift test` with the given arguments. When tests fail, it says at the end once more which and why: their lines are hard to find among
# a thousand others, and a log that is cut off keeps its end.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${SWIFT:-swift}" test --disable-xctest "$@" 2>&1 | tee "$log" && exit
status=$?
printf '\n== What failed:\n'
grep -E '✘|error:|Fatal error' "$log" | cut -c1-2000 || tail -n 40 "$log"
exit "$status"
