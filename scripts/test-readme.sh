#!/usr/bin/env bash
# Runs the README's examples exactly as printed: every ```sh block in order, in one shell. `make run` is started beside it, `make test` is
# what runs this script, and a token that the README ends with … is what this first start has printed.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
chmod 711 "$work"
server=
cleanup() {
    status=$?
    [[ -z $server ]] || { pkill -TERM -P "$server" && wait "$server" || true; }
    ((status == 0)) || { echo "== the server said:"; cat "$work/server.log" "$work/server.out" 2>/dev/null || true; }
    rm -rf "$work"
}
trap cleanup EXIT

# The test of docs/walk.md listens there, too, and runs at the same time. The lock ends with this shell.
mkdir -p "$repository/.build"
exec 9>"$repository/.build/port-8080.lock"
flock --timeout 900 9 || { echo "Another test has used 127.0.0.1:8080 for 15 minutes." >&2; exit 1; }
if (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; then
    echo "Something listens on 127.0.0.1:8080, which the README's examples use." >&2
    exit 1
fi
grep -qx 'make run' "$repository/README.md" && grep -qx 'make test' "$repository/README.md"
make -C "$repository" --no-print-directory build >/dev/null
# The examples are of somebody who has no such variable, which the program would warn of.
unset MORTISE_PROGRAM
(cd "$repository" && MORTISE_DATA="$work/data" exec make --no-print-directory run) >"$work/server.out" 2>"$work/server.log" 9>&- &
server=$!
for ((i = 0; i < 3000; i++)); do
    curl --silent --fail --output /dev/null http://127.0.0.1:8080/readyz && break
    kill -0 "$server" || exit 1
    sleep 0.2
done

operator=$(grep -oE 'mko_live_[0-9A-Za-z]+' "$work/server.out")
awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$repository/README.md" |
    grep -vxE 'make (run|test)' | sed "s/mko_live_…/$operator/" >"$work/examples.sh"
mkdir "$work/clone"
ln -s "$repository/.build" "$work/clone/.build"
cd "$work/clone"
bash -euo pipefail "$work/examples.sh" | tee "$work/output"

# What the text around the examples promises.
[[ $(grep -cx 'refused' "$work/output") == 2 ]]
grep -q '"valid":true' "$work/output"
for event in created rotated revoked; do grep -q "$event" "$work/output"; done
if grep -qF "$operator" "$work/server.log" || grep -qF "$(cat gateway.key)" "$work/server.log"; then
    echo "A token is in the log." >&2
    exit 1
fi
# To Mortise itself, as Ctrl-C would: make would report its own death.
pkill -TERM -P "$server"
wait "$server"
server=
echo "The README's examples work as printed."
