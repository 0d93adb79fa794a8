#!/usr/bin/env bash
# Sends events at a steady rate to twenty receivers, of which two are dead and one is slow, and prints the delays. With --kills, nodes are
# killed meanwhile, and no event may be lost. --help lists the options. The release build must exist, or --program names another one.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/Webhooks/run.py "$@"
