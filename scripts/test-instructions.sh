#!/usr/bin/env bash
# Checks that no kind of request costs more instructions than its limit. The counts do not depend on the load of the machine. They differ by
# a few hundredths between versions of the compiler and of the packages, so a limit is up to a tenth above what was counted.
set -euo pipefail
cd "$(dirname "$0")/.."

# The goals are in docs/performance.md.
declare -A limits=([verify]=130000 [authorize]=60000 [healthz]=100000)

scripts/count-verify.sh | {
    status=0
    counted=0
    while read -r name count; do
        limit=${limits[$name]:?no limit for $name}
        printf '%-10s %9d of at most %d instructions\n' "$name" "$count" "$limit"
        counted=$((counted + 1))
        if ((count > limit)); then status=1; fi
    done
    if ((counted != ${#limits[@]})); then echo "only $counted of ${#limits[@]} kinds of requests were counted" >&2; exit 1; fi
    if ((status)); then echo "a request costs more than its limit: look for the cause with scripts/count-verify.sh FOLDER and callgrind_annotate" >&2; fi
    exit "$status"
}
