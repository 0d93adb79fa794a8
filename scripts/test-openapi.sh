#!/usr/bin/env bash
# Holds a running server to its own OpenAPI document: Schemathesis makes requests of it, right and wrong, and looks at every answer.
#
# Two of its checks are left out. positive_data_acceptance takes a refusal of any request that the document allows for a fault, but JSON
# Schema cannot say "in the future" or "no bits behind the length of the range". ignored_auth repeats requests without a credential, which
# the tests of the access matrix do for every operation and every kind of credential.
set -euo pipefail
cd "$(dirname "$0")/.."
MORTISE_SCHEMATHESIS=${MORTISE_SCHEMATHESIS:-$PWD/.venv/bin/schemathesis}
[[ -x $MORTISE_SCHEMATHESIS ]] || { echo "Schemathesis was not found: run scripts/install-test-dependencies.sh" >&2; exit 1; }
export MORTISE_SCHEMATHESIS
exec scripts/swift-test.sh --filter 'NativeAPITests.OpenAPITests'
