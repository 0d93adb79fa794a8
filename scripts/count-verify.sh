#!/usr/bin/env bash
# Counts the instructions of `mortise serve` for one request over HTTP, without the kernel and without PostgreSQL, with callgrind. The counts
# do not depend on the load of the machine: what the server does each second anyway, which is more for a request on a slower machine, is
# counted apart.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ ${1:-} == --help ]]; then
    echo "usage: scripts/count-verify.sh [PROFILE-FOLDER]"
    echo "Builds mortise in release unless MORTISE_PROGRAM names it, runs it under callgrind with a throw-away PostgreSQL, and prints the instructions of each kind of request."
    echo "With a folder, callgrind's files stay there, for callgrind_annotate."
    exit
fi
for program in valgrind python3 "${CC:=clang}"; do
    command -v "$program" >/dev/null || { echo "$program was not found" >&2; exit 1; }
done

program=${MORTISE_PROGRAM:-$(make --silent program SWIFT="${SWIFT:-swift}")}
work=$(mktemp -d)
chmod 711 "$work"
profiles=${1:-$work}
mkdir -p "$profiles"
server=
cleanup() {
    [[ -z $server ]] || { kill -TERM "$server" 2>/dev/null && wait "$server" || true; }
    [[ ! -d $work/postgres ]] || as_postgres "$binaries/pg_ctl" -D "$work/postgres" -m immediate stop >/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# Valgrind 3.19 gives up at debug information of DWARF 5; names of functions stay.
strip --strip-debug -o "$work/mortise" "$program"

# libdispatch ends the main thread without ending its process, at which valgrind 3.19 fails. This main thread serves the main queue instead.
cat >"$work/main_queue.c" <<'C'
#include <poll.h>
#include <stdint.h>
#include <unistd.h>
extern void _dispatch_main_queue_callback_4CF(void *);
extern int _dispatch_get_main_queue_port_4CF(void);
void dispatch_main(void) {
    struct pollfd queue = {.fd = _dispatch_get_main_queue_port_4CF(), .events = POLLIN};
    uint64_t count;
    for (;;) {
        poll(&queue, 1, -1);
        if (read(queue.fd, &count, sizeof count) > 0) _dispatch_main_queue_callback_4CF(0);
    }
}
C
"$CC" -shared -fPIC -O -o "$work/main_queue.so" "$work/main_queue.c"

# A PostgreSQL server beside the program, because valgrind lacks a system call that starting one needs. It does not run as root.
binaries=${MORTISE_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
as_postgres() {
    if ((EUID == 0)); then runuser -u postgres -- "$@"; else "$@"; fi
}
install -d -m 700 "$work/postgres"
((EUID != 0)) || chown postgres "$work/postgres"
as_postgres "$binaries/initdb" -D "$work/postgres" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
as_postgres "$binaries/pg_ctl" -D "$work/postgres" -l "$work/postgres/log" -w \
    -o "-k $work/postgres -c listen_addresses= -c fsync=off -c unix_socket_permissions=0777" start >/dev/null
chmod 711 "$work/postgres"
export MORTISE_DATABASE_URL="host=$work/postgres user=postgres dbname=mortise" MORTISE_PEPPER_FILE=$work/secrets
"$work/mortise" secrets new "$work/secrets" >/dev/null

export MORTISE_LISTEN=127.0.0.1:18089 MORTISE_GATEWAY_LISTEN=127.0.0.1:18090 MORTISE_LOG_LEVEL=warning SWIFT_DETERMINISTIC_HASHING=1
url=http://$MORTISE_LISTEN
# ready PROCESS: waits for the server.
ready() {
    for ((i = 0; i < 6000; i++)); do
        curl --silent --fail --output /dev/null "$url/readyz" && return
        kill -0 "$1" || { cat "$work/log" >&2; exit 1; }
        sleep 0.1
    done
    echo "the server is not ready after ten minutes" >&2
    exit 1
}

# The first start creates the databases, which takes long under callgrind.
"$work/mortise" serve >"$work/first" 2>"$work/log" &
server=$!
ready "$server"
admin=$(grep -oE 'mka_live_[0-9A-Za-z]+' "$work/first" | head -1)
key=$(curl --silent --fail --show-error "$url/v1/workspaces/default/service-keys" -H "Authorization: Bearer $admin" \
    -H 'Content-Type: application/json' -d '{"name": "counted", "scopes": ["read:orders"]}' |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
kill -TERM "$server" && wait "$server"

LD_PRELOAD=$work/main_queue.so valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$profiles/callgrind.out" \
    "$work/mortise" serve >"$work/out" 2>"$work/log" &
server=$!
ready "$server"

python3 - "$MORTISE_LISTEN" "$MORTISE_GATEWAY_LISTEN" "$admin" "$key" "$server" "$profiles" <<'PYTHON'
import glob, os, re, socket, subprocess, sys, time

listen, gateway, admin, key, process, profiles = sys.argv[1:]


def request(method, path, body="", token=None, fields=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: {listen}\r\n{fields}"
    if token:
        head += f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def ask(connection, data):
    connection.sendall(data)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def send(connection, data, count, pause=0):
    for _ in range(count):
        answer = ask(connection, data)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        time.sleep(pause)


def wait(host, port, data):
    """Waits for the first success: under callgrind, on a busy machine, the server gets its lease late, and answers 503 until then."""
    for _ in range(600):
        with socket.create_connection((host, port)) as connection:
            answer = ask(connection, data)
        if not answer.startswith(b"HTTP/1.1 503"):
            return
        time.sleep(0.5)


def control(*arguments):
    subprocess.run(["callgrind_control", *arguments, process], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def collected(name):
    control(f"--dump={name}")
    newest = max(glob.glob(f"{profiles}/callgrind.out.*"), key=os.path.getmtime)
    text = open(newest).read()
    return int(re.findall(r"^(?:summary|totals): (\d+)", text, re.M)[0])


# The server answers verifications and checks from memory, but for the first one.
checked = f"X-API-Key: {key}\r\nX-Forwarded-For: 192.0.2.1\r\n"
requests = {
    "verify": (listen, request("POST", "/v1/verify", '{"token": "%s", "scopes": ["read:orders"]}' % key, admin)),
    "authorize": (
        gateway,
        request("GET", "/v1/authorize/organizations/default;scope=read:orders/orders?id=1", fields=checked),
    ),
    "healthz": (listen, request("GET", "/healthz")),
}


def counted(connection, data, requests, pause=0):
    """Sends requests, and returns the instructions and the seconds that they took."""
    control("--zero")
    begin = time.monotonic()
    send(connection, data, requests, pause)
    seconds = time.monotonic() - begin
    return collected(name), seconds


control("--instr=on")
for name, (address, data) in requests.items():
    host, port = address.split(":")
    wait(host, int(port), data)
    with socket.create_connection((host, int(port))) as connection:
        send(connection, data, 200)
        few, slowly = counted(connection, data, 5, pause=1)
        many, quickly = counted(connection, data, 1000)
        # Both are a number of requests and a number of seconds: two equations with two unknowns.
        print(f"{name:<10} {round((many * slowly - few * quickly) / (1000 * slowly - 5 * quickly)):>9}")
PYTHON
