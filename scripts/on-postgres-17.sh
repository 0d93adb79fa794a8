#!/usr/bin/env bash
# Runs a command with the server of PostgreSQL 17, as in: scripts/on-postgres-17.sh make test
#
# Debian 12 has version 15. The script builds 17 once, from the source package of Debian 13, into a folder of its own, and installs what
# that needs. It changes nothing of the system's apt but its packages.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
if (($# == 0)) || [[ $1 == --help ]]; then
    echo "usage: scripts/on-postgres-17.sh COMMAND..."
    echo "Builds PostgreSQL 17 if needed, and runs the command with its server. Example: scripts/on-postgres-17.sh make test"
    echo "POSTGRES_17 sets the folder of the installation, /usr/local/pgsql-17 by default. Every user must be able to enter it."
    exit
fi
prefix=${POSTGRES_17:-/usr/local/pgsql-17}

build() {
    source "$repository/scripts/packages.sh"
    install_packages build-essential bison flex libssl-dev zlib1g-dev
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial
    # The mirrors that the system uses.
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    while read -r mirror; do
        suite=trixie
        [[ $mirror != *security* ]] || suite=trixie-security
        echo "deb-src [signed-by=$keyring] $mirror $suite main"
    done < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u) >"$work/sources.list"
    apt=(
        -o Dir::State="$work/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/cache"
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root
    )
    echo "Building PostgreSQL 17 into $prefix. With two processors this takes about two minutes."
    apt-get "${apt[@]}" -qq update
    cd "$work"
    # A mirror's index can name a version that the mirror does not have yet. Most mirrors have the one before it.
    for version in $(apt-cache "${apt[@]}" showsrc postgresql-17 | sed -n 's/^Version: //p' | sort -rV | uniq); do
        apt-get "${apt[@]}" -qq source --download-only "postgresql-17=$version" && break
    done
    archive=postgresql-17_17.11.orig.tar.bz2
    for mirror in $(awk '$4 == "trixie" { print $3 }' sources.list); do
        compgen -G 'postgresql-17_*.orig.tar.*' >/dev/null && break
        /usr/lib/apt/apt-helper "${apt[@]}" download-file "${mirror}pool/main/p/postgresql-17/$archive" "$archive" \
            SHA256:dd27f2b3c59e73ed14aa3324901242bf69a032a6347805f274e6260322d42979 || true
    done
    compgen -G 'postgresql-17_*.orig.tar.*' >/dev/null || {
        echo "The mirror does not have the source that its index names. Try again later, or build PostgreSQL 17 into $prefix." >&2
        exit 1
    }
    tar xf postgresql-17_*.orig.tar.*
    cd postgresql-17.*/
    ./configure --quiet --prefix="$prefix" --with-openssl --without-readline --without-icu \
        --with-system-tzdata=/usr/share/zoneinfo
    make -j"$(nproc)" -s all
    make -j"$(nproc)" -s -C contrib all
    make -s install
    make -s -C contrib install
}
[[ -x $prefix/bin/postgres ]] || (build)
"$prefix/bin/postgres" --version
export MORTISE_POSTGRES_BIN=$prefix/bin
"$@"
