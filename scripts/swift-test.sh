#!/usr/bin/env bash
# `swift test` with the given arguments, and with the programs that some suites drive if .venv has them. When tests fail, it lists at the
# end which ones and why: their lines are hard to find among a thousand others, and a log that is cut off keeps its end.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/temporary.sh
if [[ -x .venv/bin/python3 ]]; then
    export MORTISE_CLIENTS_PYTHON=${MORTISE_CLIENTS_PYTHON:-$PWD/.venv/bin/python3}
    export MORTISE_SCHEMATHESIS=${MORTISE_SCHEMATHESIS:-$PWD/.venv/bin/schemathesis}
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A line for each of the thousands of test cases would hide the rest.
"${SWIFT:-swift}" test --disable-xctest --explicit-target-dependency-import-check error "$@" 2>&1 | tee "$log" | { grep --line-buffered -av '^◇ Test case passing ' || true; } && exit
status=$?
printf '\n== What failed:\n'
awk -v most_tests=100 -v most_issues=3 -v width=600 '
    /^✘ Test .* recorded an issue/ {
        test = substr($0, 1, index($0, " recorded an issue") - 1)
        if (!(test in count)) order[++tests] = test
        isKept = ++count[test] <= most_issues
        if (isKept) text[test] = text[test] "   " substr($0, length(test) + 1, width) "\n"
        next
    }
    /^↳/ { if (isKept) text[test] = text[test] "      " substr($0, 1, width) "\n"; next }
    { isKept = 0 }
    /^✘ The tests hang/ || /(^|: )(error|Fatal error): / { if (++others <= most_tests) other[others] = substr($0, 1, width) }
    END {
        for (i = 1; i <= tests && i <= most_tests; i++) {
            printf "%s\n%s", order[i], text[order[i]]
            if (count[order[i]] > most_issues) printf "    and %d more issues\n", count[order[i]] - most_issues
        }
        if (tests > most_tests) printf "and %d more tests\n", tests - most_tests
        for (i = 1; i <= others && i <= most_tests; i++) print other[i]
        exit tests + others == 0
    }
' "$log" || tail -n 40 "$log"
exit "$status"
