#!/usr/bin/env bash
# Checks examples/monitoring: the rules by their tests, the metrics of a running server by promtool, and that the server has every metric
# that the rules and the dashboard name. The server is the debug build, or the program that MORTISE_PROGRAM names. PROMTOOL names another
# promtool.
set -euo pipefail
cd "$(dirname "$0")/.."
promtool=${PROMTOOL:-promtool}
program=${MORTISE_PROGRAM:-$(swift build --show-bin-path)/mortise}
work=$(mktemp -d)
server=
finish() {
    [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    rm -rf "$work"
}
trap finish EXIT

"$promtool" check rules examples/monitoring/alerts.yml
"$promtool" check config examples/monitoring/prometheus.yml
"$promtool" test rules examples/monitoring/alerts.test.yml

MORTISE_DATA=$work/data MORTISE_LISTEN=127.0.0.1:0 MORTISE_OPERATIONS_LISTEN=unix:$work/operators.sock \
    "$program" serve >"$work/keys" 2>"$work/log" &
server=$!
for _ in $(seq 6000); do
    grep -q 'listening for operators' "$work/log" && grep -q '"message":"listening"' "$work/log" && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
port=$(sed -n 's/.*"message":"listening".*"address":"[^"]*:\([0-9]*\)".*/\1/p' "$work/log")
scrape() { curl -sf --unix-socket "$work/operators.sock" http://localhost/metrics; }

size=$(scrape | wc -c)
echo "an idle scrape has $size bytes"
((size < 60000))
# A verification makes the series of operations.
curl -s -o "$work/answer" -X POST "http://127.0.0.1:$port/v1/verify" -H 'Content-Type: application/json' -d '{}'
scrape >"$work/metrics"
"$promtool" check metrics <"$work/metrics"

python3 - "$work/metrics" <<'PYTHON'
import json
import re
import sys
from pathlib import Path

present = set(re.findall(r"^([a-z_]+)(?:\{| )", Path(sys.argv[1]).read_text(), re.MULTILINE))
examples = Path("examples/monitoring")
texts = [examples.joinpath("alerts.yml").read_text()]
dashboard = json.loads(examples.joinpath("dashboard.json").read_text())
texts += [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
texts += [json.dumps(dashboard["templating"])]
named = set(re.findall(r"\b(?:mortise|process)_[a-z_]+[a-z]\b", "\n".join(texts)))
assert len(named) > 15, named
missing = sorted(named - present)
if missing:
    sys.exit(f"the server has no metric {', '.join(missing)}")
print(f"the server has all of the {len(named)} metrics that the rules and the dashboard name")
PYTHON
