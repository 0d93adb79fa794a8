#!/usr/bin/env bash
# Installs what building and running Mortise needs on Debian and Ubuntu. Does nothing, and needs no network, when all is there.
set -euo pipefail
cd "$(dirname "$0")"
source ./packages.sh

if ! command -v swift >/dev/null; then
    echo "Swift 6.3 or later is needed and was not found: see https://www.swift.org/install/linux" >&2
    exit 1
fi

missing=()
# SwiftPM asks pkg-config where Debian keeps libpq's headers.
command -v pkg-config >/dev/null || missing+=(pkg-config)
has_header libpq-fe.h || has_header postgresql/libpq-fe.h || missing+=(libpq-dev)
has_header openssl/ssl.h || missing+=(libssl-dev)
has_header zlib.h || missing+=(zlib1g-dev)
has_postgres || missing+=(postgresql)
install_packages "${missing[@]}"
