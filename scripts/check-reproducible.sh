#!/usr/bin/env bash
# Builds `make dist` twice from clean clones of the newest commit, on two paths, and compares the bytes. With two processors this takes half
# an hour. The paths have the same length: see docs/installing.md.
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
first=$work/first/clone
second=$work/other/place
for clone in "$first" "$second"; do
    git clone --quiet . "$clone"
    # The same versions of the packages, which the repository does not fix.
    cp Package.resolved "$clone"
    (cd "$clone" && make --no-print-directory dist)
done
if diff "$first/.build/dist/SHA256SUMS" "$second/.build/dist/SHA256SUMS"; then
    echo "Both builds have the same bytes."
    exit
fi
# The lines that differ say what of the path got into the program.
for clone in "$first" "$second"; do
    strip --strip-all -o "$clone/.build/stripped" "$(make --silent -C "$clone" program)"
    strings -n 8 "$clone/.build/stripped" | sort >"$clone/.build/strings"
done
echo "$(cmp -l "$first/.build/stripped" "$second/.build/stripped" | wc -l) bytes of the stripped programs differ." >&2
diff "$first/.build/strings" "$second/.build/strings" | sed -n 1,40p
exit 1
