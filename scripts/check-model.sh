#!/usr/bin/env bash
# Checks the model of the cache and its fences, Model/fence.pml, with Spin. --help describes it.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'USAGE'
Usage: scripts/check-model.sh [--jobs N] [--attack FLAG]

Check the model of the cache and its fences (Model/fence.pml).

The protocol as it is must hold in every state. Then each rule is taken out, one at a time, and the checker must find an attack. Then the
checker must reach each situation that the model is about. Fails if one of these checks does not end as expected.

  --jobs N       The number of checks that run at the same time. Default: the number of processors, at most 2.
  --attack FLAG  Print the shortest attack that the checker finds without the rule of this flag, and stop.

Needs spin and gcc, which scripts/install-test-dependencies.sh installs. Uses less than 2 GB of memory with two jobs.
USAGE
}

# A check in each line: its name, the expected verdict, the size of the run, and the rule of docs/decisions/0014-fence.md or the situation.
# The longest are first.
one_node='-DFAILOVER -DMUTATORS=1'
checks() {
    cat <<CHECKS
two-nodes-failover    holds    -DFAILOVER -DNODES=2 -DCACHES=1 -DMUTATORS=1 | two nodes, one change, a failover
two-changes-failover  holds    -DFAILOVER -DATTEMPTS=1                      | one node, two changes, a failover
two-changes           holds                                                 | one node, two changes that may fence twice
two-nodes             holds    -DNODES=2 -DMUTATORS=1                       | two nodes with caches, one change
longer-lease          holds    $one_node -DLEASE=3                          | time in smaller steps
CALM                  holds                                                 | every fence is lifted at last, two changes
CALM                  holds    $one_node                                    | every fence is lifted at last, a failover
LIFT_NOT_SYNCHRONOUS  attack   -DFAILOVER -DATTEMPTS=1 -DONLY_REPEAT        | 30 the lift reaches a standby before the return
LEASE_FROM_ANSWER     attack   $one_node | 1 a lease counts from before its renewal was sent
LEASE_OUTLIVES_WAIT   attack   $one_node | 2 a mutator waits longer than any clock trusts a lease
RENEWED_WHILE_FENCED  attack   $one_node | 3 a renewal is refused until all fences are raised
GRANT_WITHOUT_LOCK    attack   $one_node | 4 grants and new fences exclude each other
ACK_BESIDE_RENEWAL    attack   $one_node | 5 only renewals acknowledge, one at a time
NODE_ID_REUSED        attack   $one_node | 6 every process start is a new node
REJOIN_WITH_OLD_CACHE attack   $one_node | 7 a grant after a lapse begins an epoch
EPOCH_ENDS_AT_LAPSE   attack   $one_node | 7 the epoch begins with the grant, not with the lapse
FILL_SURVIVES_EPOCH   attack   $one_node | 7 an epoch ends the fills in flight
LEAVE_WHILE_SERVING   attack   $one_node | 8 a node that leaves stops answering first
NO_BARRIER            attack   $one_node | 9 a fence is visible to all threads before it is acknowledged
LIFT_CLEARS_SLOT      attack              | 10 a lift ends one fence, not those that share the slot
NOTIFY_ALONE_LIFTS    attack   -DCALM     | 11 renewals lift fences, NOTIFY only hastens
WORKSPACE_FENCE_IGNORED attack            | 12 a fence of the workspace covers all its keys
CLOCK_READ_BEFORE_REQUEST attack $one_node | 13 the clock is read after the request
LEASE_NOT_CHECKED     attack   $one_node | 14 a hit needs a good lease
NO_STAMP_CHECK_AFTER_READ attack $one_node | 15 the stamp is compared last
FILL_WITHOUT_STAMP    attack   $one_node | 16 an entry has a stamp
STAMP_TAKEN_AFTER_READ attack  $one_node | 17 the stamp is taken before the read is written
LIFT_NOT_COUNTED      attack   $one_node | 18 a lift ends the fills in flight
JOIN_IN_FLIGHT        attack   $one_node | 19 no verification joins a read that was written
READ_WITHOUT_LEASE    attack   $one_node | 20 a read counts only with a good lease after it
READ_FROM_OLD_SERVER  attack   $one_node | 21 the read and the lease are from one timeline
NO_ACK_WAIT           attack   $one_node | 22 the change waits for every listed node
WAIT_FROM_BEFORE_FENCE attack  $one_node | 23 the wait begins after the fence is committed
ROW_DELETED_WITHOUT_FENCE attack $one_node | 24 a row is deleted only while the fence stands
LIFT_BEFORE_COMMIT    attack   $one_node | 25 the fence stands until the change is committed
LATE_COMMIT_AFTER_LIFT attack  $one_node | 26 a fence is not lifted while the outcome is unknown
CANCELLED_WAIT_COUNTS attack   $one_node | 27 a cancelled wait for a standby is not a commit
FENCE_GONE_IGNORED    attack   $one_node | 28 a fence that is gone is inserted again
OLD_FENCE_AFTER_FAILOVER attack $one_node | 29 the fence and its lift are from one timeline
REPEAT_WITHOUT_FENCE  attack   -DONLY_REPEAT | 31 a repeated change fences, too
EPOCH_IGNORED         attack   $one_node | 32 after a failover a mutator waits for one full lease
REACH_HIT             reached  $one_node | a hit on the new state
REACH_ACK             reached  $one_node | a change goes on because every node acknowledged
REACH_WAIT_OUT        reached  $one_node | a change goes on because a silent node's lease has ended
REACH_SECOND_FENCE    reached  $one_node | a change returns after a second fence
REACH_HUNG            reached  $one_node | a COMMIT that hangs is answered at last
REACH_LOST_COMMIT     reached  $one_node | a COMMIT that hangs is lost in the failover
REACH_FAILOVER        reached  $one_node | a change returns after the failover
REACH_OLD_SERVER      reached  $one_node | the old server answers a read too old
REACH_LEAVE           reached  $one_node | a node leaves
REACH_REPEAT          reached  -DONLY_REPEAT | a repeated change returns without writing
REACH_BOTH            reached            | the second of two changes returns
CHECKS
}

# build NAME SIZE OPTIMIZATION...: generates and compiles the checker in the current folder.
build() {
    local name=$1 size=$2
    shift 2
    local flag=()
    [[ $name =~ ^[A-Z_]+$ ]] && flag=("-D$name")
    # shellcheck disable=SC2086 # the size is several words
    spin -a $size "${flag[@]}" "$model" >spin.log || { cat spin.log >&2; return 1; }
    gcc -w -DSAFETY -DNOCLAIM -DMEMLIM=900 "$@" -o pan pan.c
}

# check NUMBER LINE: runs one check, and leaves a line of the table in the file NUMBER.
check() {
    local number=$1 name expected size text
    read -r name expected size <<<"${2%%|*}"
    text=${2#*| }
    mkdir "$work/run$number"
    cd "$work/run$number"
    local optimization=-O0 start=$SECONDS
    [[ $size == *"$one_node"* ]] || optimization=-O1
    [[ $expected == holds ]] && optimization=-O2
    build "$name" "$size" "$optimization"
    # -E: a state in which nothing can happen is no fault. The default is to look for those, too.
    ./pan -E -m500000 >pan.log 2>&1 || true
    local states depth verdict=unfinished
    states=$(awk '/states, stored/ { print $1 }' pan.log)
    depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' pan.log)
    if grep -q 'errors: 0' pan.log; then
        verdict=holds
    elif grep -q 'assertion violated' pan.log; then
        verdict=attack
        [[ $expected == reached ]] && verdict=reached
    fi
    # A search that ran out of depth or memory proves nothing.
    [[ $verdict == holds ]] && grep -Eq 'Search not completed|search depth too small|out of memory' pan.log && verdict=unfinished
    local outcome=ok
    [[ $verdict == "$expected" ]] || outcome="FAILED, expected $expected"
    printf '%-26s %-60s %-10s %9s %7s %4ss  %s\n' "$name" "$text" "$verdict" "${states:--}" "${depth:--}" $((SECONDS - start)) "$outcome" \
        >"$work/$number"
    cd "$work"
    rm -rf "run$number"
}

# attack FLAG: prints the shortest attack.
attack() {
    local line size
    line=$(checks | awk -v flag="$1" '$1 == flag && $2 != "holds"') || true
    [[ -n $line ]] || { echo "check-model: no rule has the flag $1; see --help and docs/decisions/0014-fence.md" >&2; exit 2; }
    read -r _ _ size <<<"${line%%|*}"
    cd "$work"
    build "$1" "$size" -O1 -DBFS -DMEMLIM=1900
    ./pan -E -m500000 >pan.log 2>&1 || true
    # shellcheck disable=SC2086 # the size is several words
    spin -k fence.pml.trail -t -p $size "-D$1" "$model" |
        sed -nE 's/^ *[0-9]+:.*proc +([0-9]+) \(([A-Za-z]+):1\) fence.pml:([0-9]+) \(state [0-9]+\)\t\[(.*)\]$/\2 \1, line \3: \4/p' |
        grep -Ev ': (else|\(1\)|\.\(goto\)|break|goto .*)$'
}

jobs=$(nproc)
((jobs > 2)) && jobs=2
wanted=
while (($#)); do
    case $1 in
    --help | -h) usage && exit ;;
    --jobs) jobs=${2:?--jobs needs a number} && shift 2 ;;
    --attack) wanted=${2:?--attack needs a flag} && shift 2 ;;
    *) echo "check-model: unknown argument $1" >&2 && usage >&2 && exit 2 ;;
    esac
done
for program in spin gcc; do
    command -v "$program" >/dev/null || {
        echo "check-model: $program is not installed; run scripts/install-test-dependencies.sh" >&2
        exit 2
    }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp Model/fence.pml "$work/fence.pml"
model=../fence.pml
if [[ -n $wanted ]]; then
    model=fence.pml
    attack "$wanted"
    exit
fi

number=100
while IFS= read -r line; do
    number=$((number + 1))
    while (($(jobs -rp | wc -l) >= jobs)); do
        wait -n || true
    done
    check "$number" "$line" &
done < <(checks)
wait

printf '%-26s %-60s %-10s %9s %7s %5s\n' check rule verdict states depth time
cat "$work"/[0-9]*
expected=$(checks | wc -l)
passed=$(cat "$work"/[0-9]* | grep -c ' ok$') || true
echo "$passed of $expected checks ended as expected, after $SECONDS seconds."
((passed == expected))
