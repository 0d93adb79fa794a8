#!/usr/bin/env bash
# Holds docker-compose.yml to what the documents say of it. No engine is needed: nothing is started.
set -euo pipefail
cd "$(dirname "$0")"
status=0
./compose.sh version >/dev/null || status=$?
if ((status == 69)); then
    printf '\n*** SKIPPED: docker-compose.yml was not checked, for there is no Docker Compose. ***\n\n' >&2
    exit 0
fi
# The settings of whoever runs this, and their .env, must not count.
unset MORTISE_POSTGRES_PASSWORD COMPOSE_PROFILES COMPOSE_FILE
compose() { ./compose.sh --env-file /dev/null "$@"; }
fail() { echo "docker-compose.yml: $1" >&2; exit 1; }

# Without a password nothing starts, and the message says what to do.
if message=$(compose config 2>&1); then fail "it is taken without a password"; fi
grep -q 'openssl rand -hex 24' <<<"$message" || fail "no remedy for a missing password: $message"
export MORTISE_POSTGRES_PASSWORD=tested
compose --profile test config --quiet
[[ $(compose config --services | sort | xargs) == 'mortise postgres' ]] || fail "docker compose up starts something else"
[[ $(compose --profile test config --services | sort | xargs) == 'mortise postgres test test-postgres' ]] ||
    fail "the profile test has other services"
# Only this machine reaches a port.
addresses=$(compose --profile test config | sed -n 's/^ *host_ip: *//p' | sort -u)
[[ $addresses == 127.0.0.1 ]] || fail "a port is published on: $addresses"
[[ $(compose --profile test config | grep -c '^ *published:') == 2 ]] || fail "the number of published ports"
echo "docker-compose.yml is what the documents say."
