#!/usr/bin/env bash
# Checks the Python client: its form, its types, the package that pip builds, and its tests against a real server. The server is the debug
# build, or the program that MORTISE_PROGRAM names. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-test-dependencies.sh
bin=$PWD/.venv/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd clients/python
"$bin/ruff" format --no-cache --quiet --check .
"$bin/ruff" check --no-cache --quiet .
"$bin/mypy" --cache-dir "$bin/../mypy"
"$bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --target "$work/site" .
(cd "$work/site" && "$bin/python3" -c 'import mortise' && test -e mortise/py.typed)
PYTHONDONTWRITEBYTECODE=1 "$bin/python3" -m pytest --quiet "$@"
