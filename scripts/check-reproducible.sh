#!/usr/bin/env bash
# Builds `make dist` twice from clean clones of the newest commit, on two paths of different length, and compares the bytes. With two
# processors this takes half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --help ]]; then
    echo "usage: scripts/check-reproducible.sh [FOLDER]"
    echo "Builds make dist in two clones below the folder, and compares the checksums. The default is a new folder, which is removed."
    exit
fi
work=${1:-}
if [[ -z $work ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
for clone in "$work/a" "$work/another/path/to/a/clone"; do
    git clone --quiet . "$clone"
    # The same versions of the packages, which the repository does not fix.
    cp Package.resolved "$clone"
    (cd "$clone" && make --no-print-directory dist)
done
if diff "$work/a/.build/dist/SHA256SUMS" "$work/another/path/to/a/clone/.build/dist/SHA256SUMS"; then
    echo "Both builds have the same bytes."
    exit
fi
# The lines that differ say what of the path got into the program.
for clone in "$work/a" "$work/another/path/to/a/clone"; do
    strings -n 8 "$(make --silent -C "$clone" program)" | sort >"$work/$(basename "$clone").strings"
done
diff "$work/a.strings" "$work/clone.strings" | head -n 40
exit 1
