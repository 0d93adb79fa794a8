#!/usr/bin/env bash
# Holds a running server to what the published clients of other services need: the programs of Tests/Clients drive each one's real SDK.
set -euo pipefail
cd "$(dirname "$0")/.."
MORTISE_CLIENTS_PYTHON=${MORTISE_CLIENTS_PYTHON:-$PWD/.venv/bin/python3}
[[ -x $MORTISE_CLIENTS_PYTHON ]] || { echo "The clients were not found: run scripts/install-test-dependencies.sh" >&2; exit 1; }
export MORTISE_CLIENTS_PYTHON
exec scripts/swift-test.sh --filter 'ServerTests.PublishedClientTests'
