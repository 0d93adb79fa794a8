#!/usr/bin/env bash
# Counts the instructions that `mortise serve` executes for one request on one keep-alive connection, without the kernel, with callgrind.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1:-} == --help ]]; then
    cat <<'TEXT'
usage: scripts/count-verify.sh [--profile FILE] [--no-build]

Builds mortise in release, starts it under callgrind with a PostgreSQL of its own, and prints the instructions of one POST /v1/verify and of one
GET /healthz. The count does not depend on the load of the machine. --profile keeps the profile of the verifications, for callgrind_annotate.
Needs valgrind and python3. COUNT sets the number of requests, 400 by default.
TEXT
    exit
fi
profile=
build=true
while (($# > 0)); do
    case $1 in
        --profile) profile=$2; shift 2 ;;
        --no-build) build=false; shift ;;
        *) echo "unknown argument: $1 (see --help)" >&2; exit 2 ;;
    esac
done
command -v valgrind >/dev/null || { echo "valgrind was not found: install the package valgrind" >&2; exit 1; }

$build && ${SWIFT:-swift} build -c release --product mortise >/dev/null
binaries=$(${SWIFT:-swift} build -c release --show-bin-path)
work=$(mktemp -d)
chmod 711 "$work"
server=
cleanup() {
    [[ -z $server ]] || { kill -TERM "$server" 2>/dev/null && wait "$server" || true; }
    rm -rf "$work"
}
trap cleanup EXIT
# Valgrind 3.19 gives up at debug information of DWARF 5; names of functions stay.
strip --strip-debug -o "$work/mortise" "$binaries/mortise"
# Swift's collections hash alike in each run, and collide alike.
SWIFT_DETERMINISTIC_HASHING=1 valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" \
    "$work/mortise" serve --data "$work/data" --listen 127.0.0.1:0 >"$work/keys" 2>"$work/log" &
server=$!
for ((i = 0; i < 600; i++)); do
    address=$(sed -n 's/.*"address":"\(127[^"]*\)".*/\1/p; s/.*address=\(127[^ ]*\).*/\1/p' "$work/log" | head -1)
    [[ -n $address ]] && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.2
done
[[ -n $address ]] || { echo "the server did not start:" >&2; cat "$work/log" >&2; exit 1; }
admin=$(grep -oE 'mka_live_[0-9A-Za-z]+' "$work/keys" | head -1)

ADDRESS=$address ADMIN=$admin WORK=$work SERVER=$server COUNT=${COUNT:-400} PROFILE=$profile python3 - <<'PYTHON'
import glob, http.client, json, os, shutil, subprocess, re
host, port = os.environ["ADDRESS"].split(":")
count = int(os.environ["COUNT"])
connection = http.client.HTTPConnection(host, int(port), timeout=120)
headers = {"Authorization": "Bearer " + os.environ["ADMIN"], "Content-Type": "application/json"}

def call(method, path, body=None, expect=200):
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    data = answer.read()
    assert answer.status == expect, (answer.status, data)
    return data

key = json.loads(call("POST", "/v1/workspaces/default/service-keys", {"name": "count"}, 201))
token = key["token"]

def control(*arguments):
    subprocess.run(["callgrind_control", *arguments, os.environ["SERVER"]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def instructions(name, send):
    for _ in range(200): send()
    control("--instr=on")
    # Code that runs for the first time under instrumentation is translated, not counted differently; a few requests settle lazy state.
    for _ in range(50): send()
    control("--zero")
    for _ in range(count): send()
    control("--dump=" + name)
    control("--instr=off")
    newest = max(glob.glob(os.environ["WORK"] + "/out.*"), key=os.path.getmtime)
    total = 0
    for file in [newest]:
        for line in open(file, errors="replace"):
            if line.startswith(("totals:", "summary:")): total = int(line.split()[1])
    return total // count, newest

def verify():
    assert b'"valid":true' in call("POST", "/v1/verify", {"token": token})

cost, file = instructions("verify", verify)
print(f"POST /v1/verify  {cost:>9,} instructions")
if os.environ["PROFILE"]: shutil.copy(file, os.environ["PROFILE"])
cost, _ = instructions("healthz", lambda: call("GET", "/healthz"))
print(f"GET /healthz     {cost:>9,} instructions")
PYTHON
