/*
 * The cache-and-fence protocol, as a model for Spin. docs/decisions/0014-fence.md numbers the rules and explains them. README.md maps the
 * names of this file to the names of the design, and says what is left out.
 *
 * The property: a verification that starts after a change has returned is never answered from an older state of the key.
 *
 * A flag such as -DNO_ACK_WAIT takes one rule out. The checker must then find a violation. A flag such as -DREACH_HIT asserts that a wanted
 * situation never happens. The checker must find it. scripts/check-model.sh runs all of them.
 */

/* The size of a run. */
#ifndef NODES
#define NODES 1         /* 1 or 2 */
#endif
#ifndef CACHES
#define CACHES NODES    /* nodes with a cache; the others only hold a lease and acknowledge fences */
#endif
#ifndef MUTATORS
#define MUTATORS 2      /* 1 or 2 */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2      /* fences that one change may insert, 1 or 2 */
#endif
#ifndef LEASE
#define LEASE 2         /* the longest time for which a node trusts a lease, in ticks of true time: its clock at its slowest */
#endif
#ifndef WAIT
#ifdef LEASE_OUTLIVES_WAIT
#define WAIT (LEASE - 1)
#else
#define WAIT LEASE      /* the shortest time for which a mutator waits, in ticks of true time: its clock at its fastest */
#endif
#endif

/* ---- The cluster: one PostgreSQL server with leases, fences and keys ---- */

/* Sets of fences are bit masks. Mutator m inserts the fence FIRST(m), and SECOND(m) if it has to fence again. */
#define FIRST(m) (1 << (2 * (m)))
#define SECOND(m) (2 << (2 * (m)))
byte standing;              /* fences in the table */
byte expired;               /* fences that were deleted because their time was over; a failover may bring them back */
byte acks[NODES];           /* fences that the node's renewals have acknowledged, in the table */
bit listed[NODES];          /* the node has a row in the table of leases */

byte version;               /* the key's state, counted by its changes, as readers see it */
byte durable;               /* the part of it that a standby has for certain */
byte hanging;               /* 1 + the mutator whose COMMIT waits for a standby; 0: none */
bit timeline;               /* 1 after the failover */
byte oldVersion;            /* the state on the server that was replaced, which may still answer reads */
byte leasesOfOldTimeline;   /* ticks until every lease of the old timeline has ended */

/* ---- The clients ---- */
byte promised;              /* the newest version whose change has returned */
mtype = { CHANGE, REPEAT, OTHER, WORKSPACE };
mtype kind;                 /* the change of mutator 1; mutator 0 always changes the key */
byte wait[2];               /* ticks that the mutator still has to wait */

/* ---- The nodes ---- */
byte lease[NODES];          /* ticks for which the node still trusts its lease; 0: no good lease */
bit leaseTimeline[NODES];   /* the timeline of the server that granted it */
bit granted[NODES];         /* a grant is on its way to the node */
byte grantLeft[NODES];      /* ticks that are left of it, counted from before the renewal was sent */
bit grantTimeline[NODES];
byte fenced[NODES];         /* the fences that the node has raised and not lifted */

byte cached[NODES];         /* 1 + the version in the cache's entry; 0: no entry whose stamp is current */
byte hit[NODES];            /* the step of a verification that tries the cache */
bit hitLease[NODES];        /* it found a good lease */
byte hitNeeds[NODES];       /* the version that was promised when it started */
byte fill[NODES];           /* the step of a verification that reads the database, and fills the cache */
bit fillStamp[NODES];       /* since it took its stamp, no epoch began and no fence was raised or lifted */
byte fillVersion[NODES];    /* the version that it read */
bit fillTimeline[NODES];    /* the timeline of the connection that read it */
bit fillTooOld[NODES];      /* an older version than promised when the verification started */

/* Two of the flags need fences that the node knows and does not heed. */
#if defined(NO_BARRIER) || defined(LIFT_CLEARS_SLOT)
byte unheeded[NODES];
#define OPEN(n) (fenced[n] & ~unheeded[n])
#elif defined(WORKSPACE_FENCE_IGNORED)
#define OPEN(n) (fenced[n] & (kind == WORKSPACE -> 3 : 15))
#else
#define OPEN(n) fenced[n]
#endif
#ifdef ACK_BESIDE_RENEWAL
byte list[NODES];           /* the fences that stood when the renewal was granted */
#endif
#ifdef CALM
bit calm;
#endif

#if NODES > 1
#define ACKED_BY(n, id) (!listed[n] || (acks[n] & id))
#define ALL_ACKED(id) (ACKED_BY(0, id) && ACKED_BY(1, id))
#define ANY_LISTED (listed[0] || listed[1])
#define CLOCK_RUNS (wait[0] || wait[1] || leasesOfOldTimeline || lease[0] || grantLeft[0] || lease[1] || grantLeft[1])
#else
#define ALL_ACKED(id) (!listed[0] || (acks[0] & id))
#define ANY_LISTED listed[0]
#define CLOCK_RUNS (wait[0] || wait[1] || leasesOfOldTimeline || lease[0] || grantLeft[0])
#endif
/* -DREACH_X makes the checker report the first state in which this is executed. */
#define REACHED assert(false)

inline forgetHit(n) { hit[n] = 0; hitLease[n] = 0; hitNeeds[n] = 0 }
inline forgetFill(n) { fill[n] = 0; fillStamp[n] = 0; fillVersion[n] = 0; fillTimeline[n] = 0; fillTooOld[n] = 0 }
inline forgetGrant(n) {
    granted[n] = 0; grantLeft[n] = 0; grantTimeline[n] = 0;
#ifdef ACK_BESIDE_RENEWAL
    list[n] = 0;
#endif
}

/* The stamp of a fill is old. A fill that can neither be stored nor break the promise is dropped here, which only saves states. */
inline staleFill(n) {
#ifdef STAMP_TAKEN_AFTER_READ
    skip
#else
    fillStamp[n] = 0;
#ifndef JOIN_IN_FLIGHT
    if
    :: fill[n] == 2 && !fillTooOld[n] -> forgetFill(n)
    :: else
    fi
#endif
#endif
}

/* A new generation or epoch: the stamps of all entries are old. A verification that has read an entry will find that out. */
inline newStamp(n) {
    cached[n] = 0;
#ifndef NO_STAMP_CHECK_AFTER_READ
    if
    :: hit[n] == 3 -> forgetHit(n)
    :: else
    fi;
#endif
    staleFill(n)
}

/* Rule 9. A fence: open it, new generation, barrier. Only then is it in `fenced`, from which acknowledgements are made. */
inline raise(n, id) {
    fenced[n] = fenced[n] | id;
#if defined(NO_BARRIER)
    unheeded[n] = unheeded[n] | id
#elif defined(FILL_WITHOUT_STAMP)
    skip
#elif defined(WORKSPACE_FENCE_IGNORED)
    if
    :: kind == WORKSPACE && id > 3
    :: else -> newStamp(n)
    fi
#else
    newStamp(n)
#endif
}

/* Rules 10, 11 and 18. The node lifts the fences that the table no longer has. */
inline lift(n) {
    if
    :: fenced[n] & ~standing ->
#ifdef LIFT_CLEARS_SLOT
        unheeded[n] = standing;
#endif
#ifndef LIFT_NOT_COUNTED
        staleFill(n)
#else
        skip
#endif
    :: else
    fi;
    fenced[n] = fenced[n] & standing
#if defined(NO_BARRIER) || defined(LIFT_CLEARS_SLOT)
    ; unheeded[n] = unheeded[n] & fenced[n]
#endif
}

/* The acknowledgements of a fence are deleted with it. */
inline cascade() {
    acks[0] = acks[0] & (standing | expired);
#if NODES > 1
    acks[1] = acks[1] & (standing | expired)
#endif
}

inline deleteRow(n) { listed[n] = 0; acks[n] = 0 }

/* Rules 1 and 3 to 6. The node sends a renewal with the fences that it has raised, and the cluster carries it out. The time between the
   two is left out: the shorter it is, the longer is the lease. A renewal that is lost is one that is not sent. */
#ifdef RENEWED_WHILE_FENCED
#define UNRAISED(n) 0
#elif defined(NODE_ID_REUSED)
#define UNRAISED(n) (standing & ~(fenced[n] | acks[n]))
#else
#define UNRAISED(n) (standing & ~fenced[n])
#endif
inline renew(n) {
#ifndef NOTIFY_ALONE_LIFTS
    lift(n);
#endif
    if
    :: UNRAISED(n) ->       /* refused */
        if
        :: listed[n] -> acks[n] = acks[n] | (standing & fenced[n])
        :: else
        fi
    :: else ->
        acks[n] = acks[n] | (standing & fenced[n]);
#ifndef GRANT_WITHOUT_LOCK
        listed[n] = 1;
#endif
        granted[n] = 1; grantLeft[n] = LEASE; grantTimeline[n] = timeline;
#ifdef ACK_BESIDE_RENEWAL
        list[n] = standing
#endif
    fi
}

/* Rule 7. The grant arrives. After a lapse it begins an epoch before it counts. */
inline install(n) {
#ifdef REJOIN_WITH_OLD_CACHE
    skip;
#elif defined(EPOCH_ENDS_AT_LAPSE)
    skip;
#elif defined(FILL_SURVIVES_EPOCH)
    if
    :: lease[n] == 0 -> cached[n] = 0
    :: else
    fi;
#else
    if
    :: lease[n] == 0 -> newStamp(n)
    :: else
    fi;
#endif
#ifdef LEASE_FROM_ANSWER
    lease[n] = LEASE;
#else
    lease[n] = grantLeft[n];
#endif
    leaseTimeline[n] = grantTimeline[n];
#ifdef ACK_BESIDE_RENEWAL
    fenced[n] = fenced[n] & list[n];
#endif
    if
    :: hit[n] == 1 -> hitLease[n] = 1      /* a verification that has read the clock, and now reads the end of the lease */
    :: else
    fi;
    forgetGrant(n)
}

#ifdef READ_WITHOUT_LEASE
#define MAY_ANSWER(n) 1
#elif defined(READ_FROM_OLD_SERVER)
#define MAY_ANSWER(n) lease[n]
#else
#define MAY_ANSWER(n) (lease[n] && leaseTimeline[n] == fillTimeline[n])
#endif

#ifdef CALM
proctype Node(byte n) provided (!calm) {
#else
proctype Node(byte n) {
#endif
    do
    /* -- The lease -- */
    :: atomic { !granted[n] -> renew(n) }
#ifdef GRANT_WITHOUT_LOCK
    :: atomic { granted[n] && !listed[n] -> listed[n] = 1 }
    :: atomic { granted[n] && listed[n] -> install(n) }
#else
    :: atomic { granted[n] -> install(n) }
#endif
    :: atomic { granted[n] -> forgetGrant(n) }                     /* the answer is lost */
#ifdef ACK_BESIDE_RENEWAL
    :: atomic { granted[n] && (standing & fenced[n] & ~acks[n]) -> acks[n] = acks[n] | (standing & fenced[n]) }
#endif

    /* -- News of fences. NOTIFY and refused renewals bring it, at any time or never. -- */
    :: atomic { standing & ~fenced[n] & 1 -> raise(n, 1) }
    :: atomic { standing & ~fenced[n] & 2 -> raise(n, 2) }
    :: atomic { standing & ~fenced[n] & 4 -> raise(n, 4) }
    :: atomic { standing & ~fenced[n] & 8 -> raise(n, 8) }
    :: atomic { fenced[n] & ~standing -> lift(n) }
#ifdef NO_BARRIER
    :: atomic { unheeded[n] -> unheeded[n] = 0; newStamp(n) }
#endif

    /* -- A verification that is answered from the cache (rules 13 to 15). The node may stop for any time between two steps. Only a
          verification that could be answered too old is followed to its end. -- */
#if defined(CLOCK_READ_BEFORE_REQUEST)
    :: atomic { n < CACHES && hit[n] == 0 && lease[n] -> hit[n] = 1 }
    :: atomic { hit[n] == 1 -> hitNeeds[n] = promised; hit[n] = 2 }
#elif defined(NO_STAMP_CHECK_AFTER_READ)
    :: atomic { n < CACHES && hit[n] == 0 && OPEN(n) == 0 && cached[n] && cached[n] - 1 < promised -> hit[n] = 3 }
    :: atomic { hit[n] == 3 && lease[n] -> assert(false) }
#else
    /* 0 to 1: the request is there; the clock is read. */
    :: atomic { n < CACHES && hit[n] == 0 && promised ->
        hitNeeds[n] = promised;
        hitLease[n] = (lease[n] > 0);
        hit[n] = 1 }
    /* 1 to 2: the end of the lease is read. A lease that was installed since the clock was read is good, too. */
    :: atomic { hit[n] == 1 ->
        if
#ifdef LEASE_NOT_CHECKED
        :: hit[n] = 2; hitLease[n] = 0
#else
        :: hitLease[n] -> hit[n] = 2; hitLease[n] = 0
#endif
        :: !hitLease[n] -> forgetHit(n)
        fi }
#endif
    /* 2 to 3: the entry is read. */
    :: atomic { hit[n] == 2 ->
#ifdef REACH_HIT
        if
        :: cached[n] && cached[n] - 1 >= hitNeeds[n] && hitNeeds[n] && OPEN(n) == 0 -> REACHED
        :: else
        fi;
#endif
        if
        :: cached[n] && cached[n] - 1 < hitNeeds[n] -> hit[n] = 3; hitNeeds[n] = 0
        :: else -> forgetHit(n)
        fi }
    /* 3: the slot is read. The stamp has not changed, or newStamp would have ended this verification; no fence is open: answered. */
    :: atomic { hit[n] == 3 && OPEN(n) == 0 -> assert(false) }
    :: atomic { hit[n] == 3 -> forgetHit(n) }

    /* -- A verification that is answered from the database (rules 16 to 21) -- */
    /* 0 to 1: the stamp is taken. */
    :: atomic { n < CACHES && fill[n] == 0 -> fill[n] = 1; fillStamp[n] = 1 }
    /* 1 to 2: the read is written and carried out. A verification may join it until it is written, so this is the latest start. The
       connection may lead to the server that was replaced. */
    :: atomic { fill[n] == 1 ->
        fill[n] = 2;
        if
        :: fillVersion[n] = version; fillTimeline[n] = timeline
        :: timeline == 1 -> fillVersion[n] = oldVersion; fillTimeline[n] = 0
        fi;
        fillTooOld[n] = (fillVersion[n] < promised);
#ifdef REACH_OLD_SERVER
        if
        :: fillTooOld[n] -> REACHED
        :: else
        fi;
#endif
#if !defined(JOIN_IN_FLIGHT) && !defined(STAMP_TAKEN_AFTER_READ)
        if
        :: !fillStamp[n] && !fillTooOld[n] -> forgetFill(n)
        :: else
        fi
#endif
        }
#ifdef JOIN_IN_FLIGHT
    :: atomic { fill[n] == 2 -> fillTooOld[n] = (fillVersion[n] < promised) }
#endif
#ifdef STAMP_TAKEN_AFTER_READ
    :: atomic { fill[n] == 2 -> fillStamp[n] = 1 }
#endif
    /* 2 to 0: the answer is there; the clock is read again. Answered, and stored if the stamp is still current. */
    :: atomic { fill[n] == 2 && MAY_ANSWER(n) ->
        assert(!fillTooOld[n]);
        if
        :: fillStamp[n] && OPEN(n) == 0 -> cached[n] = fillVersion[n] + 1
        :: else
        fi;
        forgetFill(n) }
    :: atomic { fill[n] -> forgetFill(n) }                         /* the connection is lost, or the lease is not good */

    /* -- Ends -- */
    /* A crash and a restart: nothing is left but the row. */
    :: atomic { lease[n] || fenced[n] || cached[n] || granted[n] ->
        lease[n] = 0; leaseTimeline[n] = 0; fenced[n] = 0; cached[n] = 0;
        forgetGrant(n); forgetHit(n); forgetFill(n) }
    /* Rule 8. A node that leaves stops to trust its lease, and then deletes its row. */
#ifdef LEAVE_WHILE_SERVING
    :: atomic { !granted[n] && listed[n] -> deleteRow(n) }
#else
    :: atomic { !granted[n] && lease[n] == 0 && listed[n] ->
#ifdef REACH_LEAVE
        REACHED;
#endif
        deleteRow(n) }
#endif
    od
}

/* ---- A change ---- */

#if defined(FENCE_GONE_IGNORED)
#define MAY_RETURN 1
#elif defined(OLD_FENCE_AFTER_FAILOVER)
#define MAY_RETURN (standing & id)
#else
#define MAY_RETURN ((standing & id) && fenceTimeline == timeline)
#endif
#if defined(LIFT_BEFORE_COMMIT) || defined(LATE_COMMIT_AFTER_LIFT)
#define LIFTED lifted
#else
#define LIFTED 0
#endif

#ifdef CALM
proctype Mutator(byte m) provided (!calm) {
#else
proctype Mutator(byte m) {
#endif
    byte id = FIRST(m);     /* the fence that it has inserted last */
    byte made;              /* the version that it has made, or found */
    bit changed;
    bit fenceTimeline;
#if defined(LIFT_BEFORE_COMMIT) || defined(LATE_COMMIT_AFTER_LIFT)
    bit lifted;
#endif

insert:
#ifdef REPEAT_WITHOUT_FENCE
    if
    :: atomic { m == 1 && kind == REPEAT && version > 0 -> promised = version; goto stop }
    :: skip
    fi;
#endif
    /* Insert a fence (rules 22, 23, 29). */
#ifdef WAIT_FROM_BEFORE_FENCE
    atomic { wait[m] = WAIT };
    atomic { standing = standing | id; durable = version; fenceTimeline = timeline };
#else
    atomic { standing = standing | id; durable = version; fenceTimeline = timeline; wait[m] = WAIT };
#endif

    /* Wait (rules 2, 22, 32) for every listed node, or until no lease from before the fence can be good. */
    if
#ifdef NO_ACK_WAIT
    :: atomic { wait[m] -> wait[m] = 0 }
#endif
    :: atomic { ALL_ACKED(id) && leasesOfOldTimeline == 0 ->
#ifdef REACH_ACK
        if
        :: ANY_LISTED && wait[m] -> REACHED
        :: else
        fi;
#endif
        wait[m] = 0 }
    :: atomic { wait[m] == 0 ->
#ifdef REACH_WAIT_OUT
        if
        :: !ALL_ACKED(id) -> REACHED
        :: else
        fi;
#endif
        /* Rule 24. The nodes that have not acknowledged have no lease. Their rows are deleted, in a transaction that finds the fence
           standing. */
        if
#ifdef ROW_DELETED_WITHOUT_FENCE
        :: true ->
#else
        :: standing & id ->
#endif
            if
            :: listed[0] && !(acks[0] & id) -> deleteRow(0)
            :: else
            fi;
#if NODES > 1
            if
            :: listed[1] && !(acks[1] & id) -> deleteRow(1)
            :: else
            fi
#endif
        :: else
        fi }
    fi;
#ifdef LIFT_BEFORE_COMMIT
    atomic { standing = standing & ~id; cascade(); lifted = 1 };
#endif

    /* Commit the change (rules 25 to 27, 31). A COMMIT that waits for a standby holds the row's lock, so it is the only one. */
    if
    :: changed
    :: else ->
        atomic { hanging == 0 ->
            changed = 1;
            if
            :: m == 1 && kind == OTHER                                      /* another key with the same slot */
            :: m == 1 && kind == REPEAT && version > 0 -> made = version    /* changed already: nothing to write */
            :: !(m == 1 && kind == OTHER) && !(m == 1 && kind == REPEAT && version > 0) ->
                if
                :: version++; durable = version; made = version
                :: hanging = m + 1
                fi
            fi };
        do
        :: atomic { hanging == m + 1 ->                                     /* the answer comes late */
            version++; durable = version; made = version; hanging = 0;
#ifdef REACH_HUNG
            REACHED;
#endif
            break }
#ifdef CANCELLED_WAIT_COUNTS
        :: atomic { hanging == m + 1 -> version++; made = version; hanging = 0; break }
#endif
#ifdef LATE_COMMIT_AFTER_LIFT
        :: atomic { hanging == m + 1 && (standing & id) -> standing = standing & ~id; cascade(); lifted = 1 }
#endif
        :: made > 0 || (m == 1 && kind == OTHER) -> break
        /* Otherwise the answer is lost. The mutator stops here, and its fence stands until it expires. */
        od
    fi;

    /* Lift the fence (rules 28 to 30), if it still stands on the same timeline. Otherwise fence, wait and lift once more. Return. */
    if
    :: atomic { MAY_RETURN || LIFTED ->
        standing = standing & ~id; cascade();
#if !defined(LIFT_NOT_SYNCHRONOUS) && !defined(CANCELLED_WAIT_COUNTS)
        durable = version;
#endif
#ifdef REACH_SECOND_FENCE
        if
        :: id == SECOND(m) -> REACHED
        :: else
        fi;
#endif
#ifdef REACH_FAILOVER
        if
        :: timeline == 1 && made -> REACHED
        :: else
        fi;
#endif
#ifdef REACH_REPEAT
        if
        :: m == 1 && kind == REPEAT && made == promised && made -> REACHED
        :: else
        fi;
#endif
#ifdef REACH_BOTH
        if
        :: made == 2 -> REACHED
        :: else
        fi;
#endif
        if
        :: made > promised -> promised = made
        :: else
        fi;
        id = 0; made = 0; changed = 0; fenceTimeline = 0 }
    :: atomic { !(MAY_RETURN || LIFTED) && ATTEMPTS == 2 && id == FIRST(m) -> id = SECOND(m); goto insert }
    fi;
stop:
    skip
}

/* ---- Time, deadlines and failures ---- */

inline tickNode(n) {
    if
    :: lease[n] ->
        lease[n]--;
        if
        :: lease[n] == 0 ->
            leaseTimeline[n] = 0;
#ifdef EPOCH_ENDS_AT_LAPSE
            newStamp(n)
#endif
        :: else
        fi
    :: else
    fi;
    if
    :: grantLeft[n] ->
        grantLeft[n]--;
#ifndef LEASE_FROM_ANSWER
        if
        :: grantLeft[n] == 0 -> forgetGrant(n)
        :: else
        fi
#endif
    :: else
    fi
}

/* A fence expires. Its time is kept by the server, whose clock may be wrong, so it may expire at any time. */
inline expire(id) {
    standing = standing & ~(id);
#ifdef FAILOVER
    if
    :: timeline == 0 -> expired = expired | (id)
    :: else
    fi;
#endif
    cascade()
}

#ifdef CALM
proctype World() provided (!calm) {
#else
proctype World() {
#endif
    do
    :: atomic { CLOCK_RUNS ->
        if
        :: wait[0] -> wait[0]--
        :: else
        fi;
        if
        :: wait[1] -> wait[1]--
        :: else
        fi;
        if
        :: leasesOfOldTimeline -> leasesOfOldTimeline--
        :: else
        fi;
        tickNode(0);
#if NODES > 1
        tickNode(1)
#endif
        }
    :: atomic { standing & 1 -> expire(1) }
    :: atomic { standing & 2 -> expire(2) }
    :: atomic { standing & 4 -> expire(4) }
    :: atomic { standing & 8 -> expire(8) }
    /* A COMMIT that hung ends, and its answer is lost. */
    :: atomic { hanging -> version++; durable = version; hanging = 0 }
    /* Its wait for a standby is cancelled, or the server restarts: readers see the change, and no standby has it. */
    :: atomic { hanging -> version++; hanging = 0 }
#ifdef FAILOVER
    /* A standby takes over. Changes and fences that were answered are there. The others, leases and acknowledgements may be lost or kept,
       and fences that have expired may be back. The old server goes on to answer reads, and cannot commit. */
    :: atomic { timeline == 0 ->
        timeline = 1;
        oldVersion = version;
        if
        :: version = durable
        :: version != durable
        fi;
        if
        :: hanging -> version++
        :: hanging ->
#ifdef REACH_LOST_COMMIT
            REACHED
#else
            skip
#endif
        :: !hanging
        fi;
        hanging = 0;
        durable = version;
        if
        :: listed[0] -> deleteRow(0)
        :: acks[0] -> acks[0] = 0
        :: skip
        fi;
#if NODES > 1
        if
        :: listed[1] -> deleteRow(1)
        :: acks[1] -> acks[1] = 0
        :: skip
        fi;
#endif
        if
        :: expired -> standing = standing | expired
        :: skip
        fi;
        expired = 0;
#ifndef EPOCH_IGNORED
        leasesOfOldTimeline = WAIT;
#endif
        cascade() }
#endif
    od
}

#ifdef CALM
/* From every state: if all mutators stop, fences expire and no message is lost, then one renewal lifts all fences of a node, and the node
   answers from its cache again. */
inline recover(n) {
    forgetHit(n); forgetFill(n); forgetGrant(n);
    renew(n);
    assert(granted[n]);
    install(n);
    assert(lease[n] && OPEN(n) == 0);
    cached[n] = 0; lease[n] = 0; leaseTimeline[n] = 0; fenced[n] = 0; acks[n] = 0; listed[n] = 0
}
proctype Calm() provided (!calm) {
    atomic {
        standing = 0; expired = 0;
        recover(0);
#if NODES > 1
        recover(1);
#endif
        version = 0; durable = 0; hanging = 0; timeline = 0; oldVersion = 0; leasesOfOldTimeline = 0; promised = 0; kind = 0;
        wait[0] = 0; wait[1] = 0;
        calm = 1 }
}
#endif

init {
    atomic {
        if
#ifndef ONLY_REPEAT
        :: kind = CHANGE
#endif
#if MUTATORS > 1
        :: kind = REPEAT
#ifndef ONLY_REPEAT
        :: kind = OTHER
#endif
#ifdef WORKSPACE_FENCE_IGNORED
        :: kind = WORKSPACE     /* otherwise the same as CHANGE */
#endif
#endif
        fi;
        run World();
        run Node(0);
#if NODES > 1
        run Node(1);
#endif
        run Mutator(0);
#if MUTATORS > 1
        run Mutator(1);
#endif
#ifdef CALM
        run Calm()
#endif
    }
}
