#!/usr/bin/env bash
# Installs what only the tests need: PgBouncer, and Schemathesis in .venv. Does nothing, and needs no network, when all is there.
set -euo pipefail
cd "$(dirname "$0")"
source ./packages.sh

schemathesis=4.32.5
environment=../.venv

missing=()
# Debian puts it into /usr/sbin, which an ordinary user's PATH may lack.
PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || missing+=(pgbouncer)
has_schemathesis() {
    "$environment/bin/schemathesis" --version 2>/dev/null </dev/null | grep -qwF "$schemathesis"
}
python=python3
if ! has_schemathesis && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    missing+=(python3-venv)
    python=/usr/bin/python3
fi
install_packages "${missing[@]}"

if ! has_schemathesis; then
    echo "Installing Schemathesis $schemathesis into .venv"
    "$python" -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input "schemathesis==$schemathesis"
fi
