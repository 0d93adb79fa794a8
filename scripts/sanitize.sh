#!/usr/bin/env bash
# Runs test targets under a sanitizer. It is not part of `make test`: each sanitizer needs a build of its own (10 to 20 minutes), and the
# tests run 2 to 15 times slower.
set -euo pipefail
cd "$(dirname "$0")/.."

# The suites that need neither a sanitized child process nor a whole server.
suites=(
    KeysTests JSONTests CivilTimeTests FuzzCorpusTests TestSupportTests EndpointsTests TelemetryTests TracesTests MigrationsTests
    PostgresTests TenancyTests FenceTests VerificationTests KeyStoreTests ConnectionsTests
)

usage() {
    cat <<HELP
usage: scripts/sanitize.sh thread|address [TARGET...]

Builds Mortise with ThreadSanitizer or AddressSanitizer in .build-SANITIZER and runs the tests of the targets.
Without targets it runs those that need neither a sanitized child process nor a whole server, in which the compiler of Swift 6.3 hands
ThreadSanitizer a wrong address (for an inout value without a size):
$(printf '%s ' "${suites[@]}" | fold -s -w 120 | sed 's/^/  /; s/ *$//')

A finding ends the run with an error and its report.
HELP
}

case ${1:-} in
    thread | address) sanitizer=$1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
esac
shift
targets=("$@")
((${#targets[@]} > 0)) || targets=("${suites[@]}")

export TSAN_OPTIONS="halt_on_error=1 exitcode=66 suppressions=$PWD/scripts/thread-sanitizer.suppressions"
# Leaks are left to the tests: the processes of the suites end with shared servers and event loops still alive.
export ASAN_OPTIONS="halt_on_error=1 exitcode=66 detect_leaks=0"
build=(--scratch-path ".build-$sanitizer" --sanitize "$sanitizer")
[[ $sanitizer == thread ]] && build+=(-Xswiftc -DTSAN)

echo "Building with ${sanitizer}sanitizer; the first build takes 10 to 20 minutes with two processors." >&2
swift build --build-tests "${build[@]}"
for target in "${targets[@]}"; do
    echo "== $target under ${sanitizer}sanitizer"
    swift test --skip-build --disable-xctest "${build[@]}" --filter "^$target\\."
done
