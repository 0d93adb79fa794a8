#!/usr/bin/env bash
# Looks for inputs that crash a parser or break one of its properties, with libFuzzer and AddressSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'USAGE'
usage: scripts/fuzz.sh [SECONDS] [TARGET...]

Builds the fuzz targets and runs each for SECONDS, 60 by default. Without a TARGET, all targets run.

  Fuzz/Targets          the targets: one file each, with the properties that are checked
  Fuzz/Corpus/TARGET    inputs that every run starts with, and that `make test` checks
  .fuzz/TARGET          inputs that a run adds; the next run starts with them too
  .fuzz/TARGET-crash-*  inputs that ended a run

The script prints the executions and the coverage of each target. It fails if an input ends a run, and says how to run that input again.
Put that input into Fuzz/Corpus/TARGET with the correction. `scripts/fuzz.sh --minimize TARGET` keeps the inputs of a corpus that were
written by hand (seed*), and replaces the others with the fewest that cover the same edges of the program.
USAGE
}

[[ ${1:-} == --help || ${1:-} == -h ]] && { usage; exit; }
minimize=false
[[ ${1:-} == --minimize ]] && { minimize=true; shift; }
seconds=60
[[ ${1:-} =~ ^[0-9]+$ ]] && { seconds=$1; shift; }

# The library of libFuzzer without a main function. The compiler would link the one with a main function, which Swift has already.
resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
library=$(compgen -G "$resources/clang/lib/linux/libclang_rt.fuzzer_no_main-$(uname -m).a") || {
    echo "libFuzzer was not found in $resources/clang/lib/linux: use a toolchain from swift.org" >&2
    exit 1
}
build=(swift build -c release --scratch-path .build-fuzz --product mortise-fuzz --sanitize address
    -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer -Xlinker "$library" -Xlinker -lstdc++)
export MORTISE_FUZZ=1
# The runtime's own report of a crash reads memory that AddressSanitizer guards.
export SWIFT_BACKTRACE=enable=no
"${build[@]}"
program=$("${build[@]}" --show-bin-path)/mortise-fuzz

targets=("$@")
((${#targets[@]} > 0)) || read -r -a targets < <("$program" | sed -n 's/.*must be one of: //p')
failed=()
for target in "${targets[@]}"; do
    export MORTISE_FUZZ_TARGET=$target
    new=.fuzz/$target log=.fuzz/$target.log
    corpus=Fuzz/Corpus/$target
    mkdir -p "$new" "$corpus"
    if [[ $minimize == true ]]; then
        fewest=$(mktemp -d)
        cp "$corpus"/seed* "$fewest"
        "$program" -set_cover_merge=1 -use_counters=0 -max_len=512 "$fewest" "$corpus" "$new" >"$log" 2>&1
        rm -rf "$corpus"
        mv "$fewest" "$corpus"
        chmod 755 "$corpus"
        printf '%-10s %s inputs\n' "$target" "$(find "$corpus" -type f | wc -l)"
        continue
    fi
    if "$program" -max_total_time="$seconds" -max_len=1024 -print_final_stats=1 -timeout=5 -artifact_prefix=".fuzz/$target-" \
        "$new" "$corpus" >"$log" 2>&1; then
        result=passed
    else
        result=FAILED
        failed+=("$target")
    fi
    # "#123 INITED cov: 45 ft: 67 …" at the start and "#456 DONE cov: 46 …" at the end.
    covered() { sed -n "s/.*$1 *cov: \([0-9]*\).*/\1/p" "$log" | tail -1; }
    statistic() { sed -n "s/^stat::$1: *//p" "$log"; }
    printf '%-10s %s: %s executions, %s/s, coverage %s -> %s, %s new inputs\n' "$target" "$result" \
        "$(statistic number_of_executed_units)" "$(statistic average_exec_per_sec)" \
        "$(covered INITED)" "$(covered DONE)" "$(statistic new_units_added)"
done

for target in ${failed[@]+"${failed[@]}"}; do
    input=$(sed -n 's/.*Test unit written to //p' ".fuzz/$target.log" | tail -1)
    printf '\n== %s\n' "$target"
    grep -E 'broken property|ERROR|Fatal error' ".fuzz/$target.log" | head -5
    echo "Run it again with: MORTISE_FUZZ_TARGET=$target $program $input"
done
((${#failed[@]} == 0))
