#!/usr/bin/env bash
# Shows that scripts/test-history.sh finds a broken fence: builds a copy of the sources in which each rule can be taken out, and runs the
# test without each rule (about 40 minutes). --program FILE takes a program that was built from such a copy. Rules can be named as
# arguments. Prints the number of violations for each rule, and fails if a rule's absence was not found.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
program=
if [[ ${1:-} == --program ]]; then
    program=$2
    shift 2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -z $program ]]; then
    git ls-files -z | xargs -0 cp --parents --target-directory "$work"
    python3 Tests/History/broken.py apply "$work"
    (cd "$work" && swift build --product mortise)
    program=$work/.build/debug/mortise
fi
rules=("$@")
not_found=()
run() {
    local rule=$1 minutes=$2 faults=$3 code=0
    MORTISE_BROKEN=$rule python3 Tests/History/run.py --program "$program" --minutes "$minutes" --faults "$faults" --calm 2 \
        --fault-every 1 --longest 5 --log "$work/history.gz" >"$work/output" 2>&1 || code=$?
    printf '%-28s %s\n' "$rule" "$(grep -m1 '^violations' "$work/output" || tail -n1 "$work/output")"
    sed -n '/^violations/{n;p;}' "$work/output"
    [[ $code == 1 ]] || not_found+=("$rule")
}
while read -r rule minutes faults; do
    [[ ${#rules[@]} == 0 || " ${rules[*]} " == *" $rule "* ]] || continue
    run "$rule" "$minutes" "$faults" </dev/null
done < <(python3 Tests/History/broken.py names)
if [[ ${#not_found[@]} != 0 ]]; then
    echo "not found: ${not_found[*]}"
    exit 1
fi
