#!/usr/bin/env bash
# Runs every scripts/test-*.sh, one more at a time than there are processors, and prints the output of each when it has ended. JOBS sets
# another number. They use ports and folders of their own, and much of their time is waiting: for a browser, a gateway, or the end of a
# lease.
set -euo pipefail
cd "$(dirname "$0")"
source ./temporary.sh
jobs=${JOBS:-$(($(nproc) + 1))}
work=$(mktemp -d)
# The scripts that run, by the number of their process.
declare -A running=()
finish() {
    ((${#running[@]} == 0)) || kill "${!running[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# The longest ones first, so that none is left alone at the end.
longest=(test-crashes.sh test-console.sh test-gateways.sh test-history.sh test-instructions.sh)
mapfile -t others < <(printf '%s\n' test-*.sh | grep -vxFf <(printf '%s\n' "${longest[@]}"))
failed=()

# Waits until a script has ended, and prints what it said.
reap() {
    local ended status=0 script
    wait -n -p ended "${!running[@]}" || status=$?
    script=${running[$ended]}
    unset "running[$ended]"
    printf '== scripts/%s (%d s)\n' "$script" $((SECONDS - $(<"$work/$script.began")))
    cat "$work/$script"
    ((status == 0)) || failed+=("scripts/$script ended with $status")
}

for script in "${longest[@]}" "${others[@]}"; do
    while ((${#running[@]} >= jobs)); do reap; done
    echo "$SECONDS" >"$work/$script.began"
    "./$script" >"$work/$script" 2>&1 </dev/null &
    running[$!]=$script
done
while ((${#running[@]} > 0)); do reap; done
if ((${#failed[@]} > 0)); then
    printf '%s\n' "${failed[@]}" >&2
    exit 1
fi
