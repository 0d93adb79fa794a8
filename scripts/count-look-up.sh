#!/usr/bin/env bash
# Counts the instructions of one look-up, without the kernel: the difference between two runs of Benchmarks/look-up-cost under callgrind.
# Needs valgrind, and a PostgreSQL that CONNECTION names, as in: CONNECTION='host=/tmp dbname=postgres' scripts/count-look-up.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CONNECTION:?set CONNECTION to a libpq connection string}"
count=${COUNT:-2000}

MORTISE_BENCHMARKS=1 ${SWIFT:-swift} build -c release --product look-up-cost
program=$(MORTISE_BENCHMARKS=1 ${SWIFT:-swift} build -c release --show-bin-path)/look-up-cost
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

instructions() {
    # Hashes are the same in each run, and so are the numbers of collisions.
    SWIFT_DETERMINISTIC_HASHING=1 valgrind --tool=callgrind --callgrind-out-file="$folder/profile" \
        "$program" "$CONNECTION" "$1" 2>&1 | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

once=$(instructions "$count")
twice=$(instructions $((2 * count)))
echo "$(((twice - once) / count)) instructions a look-up"
