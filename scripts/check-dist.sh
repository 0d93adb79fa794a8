#!/usr/bin/env bash
# Checks what `make dist` packs: all that scripts/test-dist.sh checks, and both archives on a Debian 12 that has nothing else: installed, started,
# asked, and removed. The systems come from mmdebstrap, which needs root and a mirror of Debian.
#   scripts/check-dist.sh [PROGRAM]
# PROGRAM is packed instead of what `make dist` would build.
set -euo pipefail
fail() { echo "check-dist: $1" >&2; exit 1; }
program=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
dist=$PWD/.build/dist
# Git refuses the repository of another user, which it is for root.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
# Not as root, which would own files of the build. A second argument says that this is done.
if (($# < 2)); then
    if [[ -z $program ]]; then
        make --no-print-directory dist
        program=$(make --silent program)
    else
        scripts/make-man.py "$program" .build/man
        scripts/make-dist.sh "$program" .build/man "$dist"
    fi
    MORTISE_PROGRAM=$program scripts/test-dist.sh
fi
if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true; then exec sudo -n --preserve-env "$PWD/scripts/check-dist.sh" "$program" packed; fi
    printf '\n*** SKIPPED: the archives were not checked, which needs root. ***\n\n' >&2
    exit 0
fi
work=$(mktemp -d)
chmod 711 "$work"
root=$work/root
server=
binaries=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -n 1)")
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
finish() {
    status=$?
    [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    [[ ! -d $work/postgres ]] || as_postgres "$binaries/pg_ctl" -D "$work/postgres" -m immediate stop >/dev/null || true
    ((status == 0)) || { echo "== The server said:" && cat "$work/log"; } 2>/dev/null || true
    ! mountpoint --quiet "$root/proc" || umount "$root/proc"
    rm -rf --one-file-system "$work"
}
trap finish EXIT
# An array, because a function in the background would be a shell, which takes the signal instead of its command.
enter=(chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
inside() { "${enter[@]}" "$@"; }

(cd "$dist" && sha256sum --quiet --check SHA256SUMS)
version=$(sed -n 's/.*current = "\(.*\)".*/\1/p' Sources/mortise/Version.swift)

echo "= a clean Debian 12"
cache=.build/tools/bookworm.tar
if [[ ! -e $cache ]]; then
    mkdir -p .build/tools
    site=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
        awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
    mmdebstrap --quiet --format=tar --variant=minbase --include=adduser,libpq5 --skip=cleanup/apt/lists bookworm "$cache.new" \
        "deb ${site:-http://deb.debian.org/debian} bookworm main"
    mv "$cache.new" "$cache"
fi
mkdir "$root"
tar --extract --numeric-owner --directory "$root" --file "$cache" --exclude='./dev/*'
mount -t proc proc "$root/proc"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# A PostgreSQL of this machine, whose socket is inside of the root.
install -d -o postgres -m 700 "$work/postgres"
install -d -o postgres -m 755 "$root/srv/postgres"
as_postgres "$binaries/initdb" -D "$work/postgres" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
as_postgres "$binaries/pg_ctl" -D "$work/postgres" -l "$work/postgres/log" -w -o \
    "-k $root/srv/postgres -c listen_addresses='' -c fsync=off" start >/dev/null
mkdir -p "$root/etc/mortise"
echo 'postgresql:///mortise?host=/srv/postgres&user=postgres' >"$root/etc/mortise/database-url"

# serve PROGRAM ACCOUNT SETTING=VALUE...: runs a server inside of the root, and waits until it is ready.
serve() {
    local program=$1 account=$2
    shift 2
    "${enter[@]}" setpriv --reuid="$account" --regid="$(inside id -g "$account")" --clear-groups --no-new-privs --bounding-set=-all \
        env --chdir=/var/lib/mortise "$@" "$program" serve >"$work/out" 2>"$work/log" &
    server=$!
    for _ in $(seq 600); do
        inside env "$@" "$program" health >/dev/null 2>&1 && return
        kill -0 "$server" || fail "the server has ended"
        sleep 0.1
    done
    fail "the server is not ready"
}
# expect_default PROGRAM PORT: asks the server for its organizations, as the operator.
expect_default() {
    [[ $(inside env MORTISE_URL="http://127.0.0.1:$2" MORTISE_TOKEN="$operator" "$1" organization list) == *default* ]] ||
        fail "the list of organizations"
}
stop() {
    kill "$server"
    wait "$server"
    server=
}

echo "= the tar archive"
tar --extract --directory "$root/opt" --file "$dist/mortise-$version-linux-$(uname -m).tar.gz"
archive=/opt/mortise-$version-linux-$(uname -m)
[[ $(inside "$archive/bin/mortise" --version) == "$version" ]] || fail "the version of the program in the tar archive"
! inside ldd "$archive/bin/mortise" | grep 'not found' || fail "a library is missing"
# No pipe into grep: it does not wait for the end of its input, which with pipefail is an error.
[[ $(inside ldd "$archive/bin/mortise") == *libpq.so.5* ]] || fail "the program does not use the libpq of the system"
[[ -z $(find "$root$archive" ! -user root -o -perm /022 ! -type l) ]] || fail "files of the tar archive that others can write"
install -d -o nobody "$root/var/lib/mortise"
inside "$archive/bin/mortise" secrets new /var/lib/mortise/secrets >/dev/null
chown -R nobody "$root/var/lib/mortise"
serve "$archive/bin/mortise" nobody MORTISE_DATABASE_URL_FILE=/etc/mortise/database-url MORTISE_DATA=/var/lib/mortise \
    MORTISE_LISTEN=127.0.0.1:18081 MORTISE_KEYS_OUT=/var/lib/mortise/first-keys
operator=$(grep -o 'mko_live_[0-9A-Za-z]*' "$root/var/lib/mortise/first-keys")
expect_default "$archive/bin/mortise" 18081
stop
# The package finds this installation as a running service would: its settings, its database and its secrets.
rm -r "$root$archive" "$root/etc/mortise/database-url"
mv "$root/var/lib/mortise" "$work/data"

echo "= the Debian package"
cp "$dist/mortise_${version/-/\~}_$(dpkg --print-architecture).deb" "$root/tmp/mortise.deb"
apt() { inside apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@" >"$work/apt" 2>&1; }
install_packages() {
    # The lists of packages in the cache can be too old.
    apt install -y --no-install-recommends "$@" || { apt update && apt install -y --no-install-recommends "$@"; } ||
        { cat "$work/apt" && fail "apt could not install $*"; }
}
install_packages systemd /tmp/mortise.deb
[[ $(inside mortise --version) == "$version" ]] || fail "the version of the program in the package"
[[ $(inside stat -c %U:%G:%a /var/lib/mortise) == mortise:mortise:700 ]] || fail "the data folder"
changed=$(inside dpkg --verify mortise) || true
[[ -z $changed ]] || fail "files of the package differ from its checksums: $changed"
inside test -e /usr/share/man/man1/mortise-key-create.1.gz || fail "the manual pages"
grep -q 'bash' "$root/usr/share/bash-completion/completions/mortise" || fail "the completions"
unit=/lib/systemd/system/mortise.service
faults=$(inside systemd-analyze verify --man=no "$unit" 2>&1) || fail "the unit: $faults"
[[ -z $faults ]] || fail "the unit: $faults"
# From 0, which is locked up, to 100. An ordinary service has 96.
score=$(inside systemd-analyze security --offline=yes --threshold=25 --no-pager "$unit") || fail "the unit is too open: $score"
tail -n 1 <<<"$score"
cp -a "$work/data/." "$root/var/lib/mortise"
inside chown -R mortise:mortise /var/lib/mortise
sed -i 's|^#database_url_file: .*|database_url_file: /etc/mortise/database-url|; s|^#listen: .*|listen: 127.0.0.1:18082|' \
    "$root/etc/mortise/mortise.yaml"
echo 'postgresql:///mortise?host=/srv/postgres&user=postgres' >"$root/etc/mortise/database-url"
serve mortise mortise
expect_default mortise 18082
stop

echo "= the Debian package with a PostgreSQL of its own"
install_packages postgresql
rm -r "$root/var/lib/mortise"
inside install -d -o mortise -g mortise -m 700 /var/lib/mortise
sed -i 's|^database_url_file: |#&|' "$root/etc/mortise/mortise.yaml"
mkdir -m 1777 "$root/dev/shm"
serve mortise mortise
[[ $(stat -c %a "$root/var/lib/mortise/first-keys") == 600 ]] || fail "others can read the first keys"
operator=$(grep -o 'mko_live_[0-9A-Za-z]*' "$root/var/lib/mortise/first-keys")
expect_default mortise 18082
stop
apt purge -y mortise || { cat "$work/apt" && fail "apt could not remove the package"; }
[[ ! -e $root/usr/bin/mortise && ! -e $root/etc/mortise/mortise.yaml ]] || fail "the package left files"
[[ -e $root/var/lib/mortise/secrets ]] || fail "a purge removed the secrets"
echo "Both archives work on a clean Debian 12."
