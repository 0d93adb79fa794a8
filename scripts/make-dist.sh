#!/usr/bin/env bash
# Packs a program: a tar archive, a Debian package, an SBOM, and their checksums. The same program, sources and date give the same bytes.
#   scripts/make-dist.sh PROGRAM MANUAL FOLDER
# PROGRAM is the release binary, MANUAL the folder of its manual pages. SOURCE_DATE_EPOCH is the date of all files, by default that of the
# newest commit. COMPRESSION=fast makes larger archives in a tenth of the time, for tests.
set -euo pipefail
program=$(realpath "$1")
manual=$(realpath "$2")
mkdir -p "$3"
target=$(realpath "$3")
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

version=$(sed -n 's/.*current = "\(.*\)".*/\1/p' Sources/mortise/Version.swift)
machine=$(uname -m)
case $machine in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) echo "make-dist: $machine is not a machine that Mortise is packed for" >&2 && exit 1 ;;
esac
case ${COMPRESSION:-small} in
small) level=9 package_compression=(-Zxz -z3) ;;
fast) level=1 package_compression=(-Znone) ;;
*) echo "make-dist: COMPRESSION is small or fast" >&2 && exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=mortise-$version-linux-$machine
# Not more than a run of this script writes: the folder can be any.
rm -f "$target"/mortise[-_]* "$target/SHA256SUMS"

# install_common ROOT: the files that both archives have, below usr.
install_common() {
    local usr=$1/usr
    install -D -m 755 "$work/mortise" "$usr/bin/mortise"
    install -d "$usr/share/man/man1" "$usr/share/bash-completion/completions" "$usr/share/zsh/vendor-completions" \
        "$usr/share/fish/vendor_completions.d" "$usr/share/doc/mortise"
    install -m 644 "$manual"/*.1 "$usr/share/man/man1"
    gzip -9n "$usr"/share/man/man1/*.1
    install -m 644 "$work/completions/mortise" "$usr/share/bash-completion/completions/mortise"
    install -m 644 "$work/completions/_mortise" "$usr/share/zsh/vendor-completions/_mortise"
    install -m 644 "$work/completions/mortise.fish" "$usr/share/fish/vendor_completions.d/mortise.fish"
    install -m 644 NOTICE README.md CHANGELOG.md docs/operations.md docs/installing.md "$work/sbom.cdx.json" \
        "$work/third-party-licenses.txt" Package.resolved "$usr/share/doc/mortise"
}

# settings FILE: the settings of an installed service, which are the example with its folders.
settings() {
    sed -e '/^# The settings of a Mortise server/s/ Copy this file.*/ The service mortise reads this file./' \
        -e 's|^#data: .*|data: /var/lib/mortise|' \
        -e 's|^#keys_out: .*|keys_out: /var/lib/mortise/first-keys|' examples/mortise.yaml >"$1"
    (($(grep -cE '^(data|keys_out): /var/lib/mortise' "$1") == 2)) ||
        { echo "make-dist: examples/mortise.yaml lacks data or keys_out" >&2 && return 1; }
}

# package_of LIBRARY: the Debian package of a shared library, with the oldest version that fits.
package_of() {
    case $1 in
    libc.so.6 | libm.so.6 | ld-linux-*) echo "libc6 (>= $(newest GLIBC))" ;;
    libstdc++.so.6) echo "libstdc++6 (>= 12)" ;;
    libgcc_s.so.1) echo "libgcc-s1" ;;
    libpq.so.5) echo "libpq5 (>= 15)" ;;
    libz.so.1) echo "zlib1g" ;;
    *) echo "make-dist: $1 has no package in this script, which a bare Debian would lack" >&2 && return 1 ;;
    esac
}

# newest PREFIX: the newest version of a library's symbols that the program needs.
newest() { objdump -T "$work/mortise" | grep -o "$1_[0-9.]*" | sed "s/$1_//" | sort -uV | tail -n 1; }

# Both sections have hashes of what depends on the path of the build: the debugging information, and the compiler's command lines.
strip --strip-all --remove-section=.note.gnu.build-id --remove-section=.swift_modhash -o "$work/mortise" "$program"
scripts/make-completions.sh "$work/mortise" "$work/completions" >/dev/null
python3 scripts/sbom.py sbom "$version" >"$work/sbom.cdx.json"
python3 scripts/sbom.py licenses "$version" >"$work/third-party-licenses.txt"

# The tar archive has the layout of a prefix, such as /usr/local.
root=$work/$name
install_common "$work/prefix"
mkdir "$root"
cp -a "$work/prefix/usr/." "$root"
install -D -m 644 packaging/mortise.service "$root/share/doc/mortise/mortise.service"
install -m 644 LICENSE "$root/share/doc/mortise/LICENSE"
settings "$root/share/doc/mortise/mortise.yaml"
tar --create --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu "$name" |
    gzip "-${level}n" >"$target/$name.tar.gz"

# The Debian package.
root=$work/deb
install_common "$root"
gzip -9n "$root/usr/share/doc/mortise/CHANGELOG.md"
install -D -m 644 packaging/mortise.service "$root/lib/systemd/system/mortise.service"
install -d "$root/etc/mortise"
settings "$root/etc/mortise/mortise.yaml"
chmod 644 "$root/etc/mortise/mortise.yaml"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: mortise\n'
    printf 'Comment: third-party-licenses.txt has the licenses of the packages that the program contains.\n\n'
    printf 'Files: *\n%s\nLicense: Apache-2.0\n' "$(sed -n 's/^Copyright /Copyright: /p' NOTICE)"
    printf ' On Debian systems, /usr/share/common-licenses/Apache-2.0 has the full text of the license.\n'
} >"$root/usr/share/doc/mortise/copyright"
install -d "$root/DEBIAN"
install -m 755 packaging/postinst packaging/prerm packaging/postrm "$root/DEBIAN"
echo /etc/mortise/mortise.yaml >"$root/DEBIAN/conffiles"
depends=adduser
for library in $(objdump -p "$work/mortise" | sed -n 's/^ *NEEDED *//p'); do
    package=$(package_of "$library")
    [[ $depends == *"$package"* ]] || depends+=", $package"
done
# A program that is packed on a newer system than Debian 12 does not run there, and dpkg says so.
cat >"$root/DEBIAN/control" <<CONTROL
Package: mortise
Version: ${version/-/\~}
Architecture: $architecture
Maintainer: The Mortise authors <mortise@localhost>
Installed-Size: $(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
Depends: $depends
Recommends: ca-certificates, postgresql (>= 15)
Suggests: bash-completion
Section: net
Priority: optional
Description: API-key service for many tenants, each with its own PostgreSQL database
 Mortise issues, rotates, revokes, audits and verifies API keys. Each workspace
 has its own database. Mortise runs the installed PostgreSQL itself, or uses a
 server that the settings name.
CONTROL
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | sort | xargs md5sum >DEBIAN/md5sums)
# dpkg-deb takes the date of younger files from SOURCE_DATE_EPOCH, and sorts.
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --threads-max=1 "${package_compression[@]}" --build "$root" "$target/mortise_${version/-/\~}_$architecture.deb" >/dev/null

cp "$work/sbom.cdx.json" "$target/mortise-$version.cdx.json"
cd "$target"
sha256sum -- mortise[-_]* >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
cat SHA256SUMS
