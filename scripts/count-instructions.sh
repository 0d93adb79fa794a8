#!/usr/bin/env bash
# Counts the instructions of each step of a verification in Keys, JSON and Verification, with callgrind. The counts do not depend on the
# load of the machine. Two runs of different lengths are compared, so that the start of the process does not count.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1:-} == --help ]]; then
    echo "usage: scripts/count-instructions.sh [STEP...]"
    echo "Builds key-cost in release and prints the instructions of each step, or of the steps named."
    exit
fi
command -v valgrind >/dev/null || { echo "valgrind was not found: install the package valgrind" >&2; exit 1; }

export MORTISE_BENCHMARKS=1 SWIFT_DETERMINISTIC_HASHING=1
swift build -c release --product key-cost >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$work/key-cost
# Valgrind 3.19 gives up at debug information of DWARF 5; names of functions stay.
strip --strip-debug -o "$program" "$(swift build -c release --show-bin-path)/key-cost"
steps=("$@")
((${#steps[@]} > 0)) || read -r -a steps < <("$program" | sed -n 's/^steps: //p')

# instructions STEP COUNT: the instructions of a run.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$work/out" "$program" "$1" "$2" >/dev/null 2>"$work/log"
    sed -n 's/^summary: //p' "$work/out"
}
for step in "${steps[@]}"; do
    few=$(instructions "$step" 1000)
    many=$(instructions "$step" 3000)
    printf '%-18s %8d\n' "$step" $(((many - few) / 2000))
done
