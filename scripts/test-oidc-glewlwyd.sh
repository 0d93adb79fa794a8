#!/usr/bin/env bash
# Signs members in to the console with a second OpenID provider, Debian's glewlwyd, which requires PKCE, and checks what is refused: see
# Tests/Console/README.md. The server is the debug build, or the program that MORTISE_PROGRAM names.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/Console/glewlwyd.py
