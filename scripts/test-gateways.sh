#!/usr/bin/env bash
# Runs each gateway of examples/ with its file, against a real Mortise: see Tests/Gateways/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin
for gateway in nginx haproxy caddy traefik envoy envoy-grpc grpcio; do
    echo "$gateway"
    .venv/bin/python3 Tests/Gateways/run.py "$gateway"
done
