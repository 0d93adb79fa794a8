#!/usr/bin/env bash
# Runs a command on one processor that two busy loops share with it, as a slow and busy machine would.
set -euo pipefail
if (($# == 0)) || [[ $1 == --help ]]; then
    echo "usage: scripts/on-slow-machine.sh COMMAND..."
    echo "Runs the command on one processor beside two busy loops. Example: scripts/on-slow-machine.sh make test"
    echo "PROCESSOR sets the number of the processor, 0 by default."
    exit
fi
processor=${PROCESSOR:-0}
loops=()
trap '((${#loops[@]} == 0)) || kill "${loops[@]}"' EXIT
for _ in 1 2; do
    taskset -c "$processor" bash -c 'while :; do :; done' &
    loops+=($!)
done
taskset -c "$processor" "$@"
