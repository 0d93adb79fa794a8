#!/usr/bin/env bash
# Checks what `make dist` packs, as far as that needs neither root nor another system: the checksums, the SBOM, the manual pages, the files of both
# archives, the unit, and the same bytes from the same program. The program is the release build, or the one that MORTISE_PROGRAM names.
# scripts/check-dist.sh also installs and runs both archives.
set -euo pipefail
fail() { echo "test-dist: $1" >&2; exit 1; }
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
program=${MORTISE_PROGRAM:-$(make --silent program)}
# Git refuses the repository of another user, which it can be for root.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH COMPRESSION=fast
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pack FOLDER: packs the program into FOLDER/dist.
pack() {
    scripts/make-man.py "$program" "$1/man" >/dev/null
    scripts/make-dist.sh "$program" "$1/man" "$1/dist" >/dev/null
}
mkdir "$work/one" "$work/two"
pack "$work/one"
dist=$work/one/dist
(cd "$dist" && sha256sum --quiet --check SHA256SUMS)
mandoc -T lint -W warning "$work/one/man"/*.1
# Another folder, mask, time zone and language.
(
    umask 077
    export TZ=Asia/Tokyo LC_ALL=C TMPDIR=$work/two
    pack "$work/two"
)
diff "$dist/SHA256SUMS" "$work/two/dist/SHA256SUMS"

version=$(sed -n 's/.*current = "\(.*\)".*/\1/p' Sources/mortise/Version.swift)
.venv/bin/python3 - "$dist/mortise-$version.cdx.json" <<'PYTHON'
import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = Path(sys.argv[1]).read_text()
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
assert fault is None, fault
pins = {pin["identity"] for pin in json.loads(Path("Package.resolved").read_text())["pins"]}
components = json.loads(text)["components"]
assert {item["name"].lower() for item in components} == pins | {"swift"}, components
assert all(item["version"] and item["licenses"] and item["purl"].startswith("pkg:swift/") for item in components)
notice = Path("NOTICE").read_text().lower()
missing = [item["name"] for item in components if item["name"].lower() not in notice]
assert not missing, f"NOTICE does not name {missing}"
PYTHON

# expect LIST FILE...: fails unless a list of files, a path in each line, has the files.
expect() {
    local list=$1 file
    shift
    for file in "$@"; do
        [[ $'\n'$list$'\n' == *$'\n'"$file"$'\n'* ]] || fail "$file is missing among: $list"
    done
}
common=(bin/mortise share/man/man1/mortise.1.gz share/man/man1/mortise-key-create.1.gz share/bash-completion/completions/mortise
    share/zsh/vendor-completions/_mortise share/fish/vendor_completions.d/mortise.fish share/doc/mortise/third-party-licenses.txt
    share/doc/mortise/sbom.cdx.json)
archive=mortise-$version-linux-$(uname -m)
expect "$(tar --list --file "$dist/$archive.tar.gz")" "${common[@]/#/$archive/}" "$archive/share/doc/mortise/"{mortise.service,mortise.yaml,LICENSE}
tar --extract --directory "$work" --file "$dist/$archive.tar.gz" "$archive/bin/mortise"
[[ $("$work/$archive/bin/mortise" --version) == "$version" ]] || fail "the version of the program in the tar archive"
package=$dist/mortise_${version/-/\~}_$(dpkg --print-architecture).deb
expect "$(dpkg-deb --fsys-tarfile "$package" | tar --list)" "${common[@]/#/./usr/}" ./lib/systemd/system/mortise.service \
    ./etc/mortise/mortise.yaml ./usr/share/doc/mortise/copyright
[[ $(dpkg-deb --field "$package" Depends) == *libpq5* ]] || fail "the package does not depend on libpq5"
[[ $(dpkg-deb --info "$package" conffiles) == /etc/mortise/mortise.yaml ]] || fail "an upgrade would replace the settings file"

# getifaddrs(3) asks the kernel over netlink. Webhooks are sent only if the addresses of the machine are known.
grep -qE '^RestrictAddressFamilies=(.* )?AF_NETLINK( |$)' packaging/mortise.service || fail "the unit forbids netlink"
echo "Both archives are complete, and the same bytes again."
