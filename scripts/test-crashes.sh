#!/usr/bin/env bash
# Runs the suites that catch other programs in the act, one test after the other: they would miss it while hundreds of tests share the
# processors. `--suites` prints their pattern, for a run of all others.
set -euo pipefail
cd "$(dirname "$0")/.."
suites='CommandLineTests.OwnPostgresTests|CommandLineTests.*CrashTests|LocalPostgresTests.LifecycleTests'
if [[ ${1:-} == --suites ]]; then
    echo "$suites"
    exit
fi
export MORTISE_PROGRAM=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
exec scripts/swift-test.sh --no-parallel --filter "$suites"
