#!/usr/bin/env bash
# Starts etcd, a Patroni cluster of three PostgreSQL servers, and three nodes of Mortise on this machine, and ends them on Ctrl-C.
# Needs the Debian packages etcd-server, patroni and postgresql. Data go to a new folder, or to the one that the argument names.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mortise=${MORTISE_PROGRAM:-mortise}
folder=${1:-$(mktemp -d)}
install -d -m 755 "$folder"
# PostgreSQL refuses to run as root.
as_postgres=()
if [[ $(id -u) == 0 ]]; then
    install -d -o postgres -m 700 "$folder/postgres"
    as_postgres=(runuser -u postgres --)
else
    install -d -m 700 "$folder/postgres"
fi
trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT

cluster=etcd1=http://127.0.0.1:23801,etcd2=http://127.0.0.1:23802,etcd3=http://127.0.0.1:23803
for n in 1 2 3; do
    etcd --name "etcd$n" --data-dir "$folder/etcd$n" --initial-cluster "$cluster" \
        --listen-peer-urls "http://127.0.0.1:2380$n" --initial-advertise-peer-urls "http://127.0.0.1:2380$n" \
        --listen-client-urls "http://127.0.0.1:2379$n" --advertise-client-urls "http://127.0.0.1:2379$n" \
        >"$folder/etcd$n.log" 2>&1 &
done

# Choose passwords of your own where others can connect.
export PATRONI_SUPERUSER_USERNAME=postgres PATRONI_SUPERUSER_PASSWORD=${PATRONI_SUPERUSER_PASSWORD:-postgres}
export PATRONI_REPLICATION_USERNAME=replicator PATRONI_REPLICATION_PASSWORD=${PATRONI_REPLICATION_PASSWORD:-replicator}
PATRONI_POSTGRESQL_BIN_DIR=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n1)
export PATRONI_POSTGRESQL_BIN_DIR
for n in 1 2 3; do
    PATRONI_NAME=postgres$n PATRONI_RESTAPI_LISTEN=127.0.0.1:1800$n PATRONI_RESTAPI_CONNECT_ADDRESS=127.0.0.1:1800$n \
        PATRONI_POSTGRESQL_LISTEN=127.0.0.1:1543$n PATRONI_POSTGRESQL_CONNECT_ADDRESS=127.0.0.1:1543$n \
        PATRONI_POSTGRESQL_DATA_DIR=$folder/postgres/data$n PATRONI_POSTGRESQL_PGPASS=$folder/postgres/pgpass$n \
        "${as_postgres[@]}" patroni "$here/patroni.yml" >"$folder/patroni$n.log" 2>&1 &
done
# One request for each: of several URLs in one call, curl reports the outcome of the last.
has_leader() {
    for n in 1 2 3; do
        if curl -sf -o /dev/null "http://127.0.0.1:1800$n/leader"; then return 0; fi
    done
    return 1
}
echo "waiting for a leader (logs in $folder)"
until has_leader; do sleep 1; done

[[ -e $folder/secrets ]] || "$mortise" secrets new "$folder/secrets" >"$folder/secrets.txt"
# All servers, in one URL: Mortise connects to the one that accepts changes.
hosts="host=127.0.0.1,127.0.0.1,127.0.0.1&port=15431,15432,15433"
export MORTISE_DATABASE_URL="postgresql://postgres:$PATRONI_SUPERUSER_PASSWORD@/mortise?$hosts&target_session_attrs=read-write"
export MORTISE_PEPPER_FILE=$folder/secrets
# A supervisor such as systemd starts a node again that could not start because no server accepts changes.
run_node() {
    trap 'kill $(jobs -p) 2>/dev/null || true; wait; exit' TERM
    export MORTISE_DATA=$folder/mortise$1 MORTISE_LISTEN=127.0.0.1:808$1
    until { "$mortise" serve & wait $!; }; do sleep 1; done
}
for n in 1 2 3; do run_node "$n" 2>"$folder/mortise$n.log" & done
echo "Mortise listens on 127.0.0.1:8081, 8082 and 8083; the keys of the first start follow"
wait
