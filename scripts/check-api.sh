#!/usr/bin/env bash
# Holds the public declarations of the published libraries to the lists in docs/api, so that a change of the API is a diff in review.
set -euo pipefail
cd "$(dirname "$0")/.."

libraries=(Keys MortiseClient Postgres)
swift=${SWIFT:-swift}

usage() {
    cat <<'TEXT'
Usage: scripts/check-api.sh [--update | --breaking [REVISION] | --help]

Compares the public declarations of Keys, MortiseClient and Postgres with the lists in docs/api.

  (no option)            Fail if a list is not what the sources declare.
  --update               Write the lists.
  --breaking [REVISION]  Print what breaks programs that were written for REVISION, and fail if anything does. REVISION is a tag, branch or
                         commit. The default is the newest release tag, such as v1.2.0. The lists must be up to date.
TEXT
}

# declarations LIBRARY: builds the library and prints its public declarations.
declarations() {
    local library=$1 products graphs flags=() map
    "$swift" build --quiet --target "$library" >&2
    products=$("$swift" build --show-bin-path)
    graphs=$(mktemp -d)
    # The module maps of the C targets: their own, and those that SwiftPM writes for targets without one.
    while read -r map; do
        flags+=(-Xcc "-fmodule-map-file=$map")
    done < <(
        find -L "$products" -maxdepth 2 -path '*.build/module.modulemap'
        find Sources .build/checkouts/*/Sources -name module.modulemap
    )
    for map in $(pkg-config --cflags libpq); do flags+=(-Xcc "$map"); done
    "$swift" symbolgraph-extract -module-name "$library" -target "$("$swift" -print-target-info |
        sed -n 's/^ *"unversionedTriple": "\(.*\)",*$/\1/p')" -I "$products/Modules" -minimum-access-level public \
        -skip-synthesized-members -emit-extension-block-symbols -output-dir "$graphs" "${flags[@]}" >&2
    python3 scripts/public_api.py "$graphs"
    rm -r "$graphs"
}

check() {
    local library status=0
    for library in "${libraries[@]}"; do
        if ! diff -u --label "docs/api/$library.txt" --label "the sources of $library" \
            "docs/api/$library.txt" <(declarations "$library"); then
            status=1
        fi
    done
    if ((status)); then
        echo "The public API has changed. Run scripts/check-api.sh --update, and commit docs/api with the change." >&2
    fi
    return "$status"
}

update() {
    local library list
    mkdir -p docs/api
    for library in "${libraries[@]}"; do
        list=$(declarations "$library")
        printf '%s\n' "$list" >"docs/api/$library.txt"
    done
}

# What is gone or changed breaks programs, and so does a new case of an enumeration or a new requirement of a protocol.
breaking() {
    local revision=${1:-} library old status=0 found
    if [[ -z $revision ]] && ! revision=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
        echo "There is no release tag to compare with. Name a revision: scripts/check-api.sh --breaking REVISION" >&2
        return 2
    fi
    for library in "${libraries[@]}"; do
        if ! old=$(git show "$revision:docs/api/$library.txt" 2>/dev/null); then
            echo "$revision has no docs/api/$library.txt to compare with." >&2
            return 2
        fi
        # diff ends with 1 where it finds a difference.
        found=$({ diff <(sort <<<"$old") <(sort "docs/api/$library.txt") || (($? == 1)); } |
            sed -n -e 's/^< /gone or changed  /p' -e '/^> [^ ]*: \(case\|requirement\) /s/^> /new               /p')
        if [[ -n $found ]]; then
            printf '%s since %s:\n%s\n' "$library" "$revision" "$found"
            status=1
        fi
    done
    return "$status"
}

case ${1:-} in
    "") check ;;
    --update) update ;;
    --breaking) breaking "${2:-}" ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
