import DequeModule

/// Who gets which connection: a pure state machine over whatever stands for a connection and a waiting caller.
///
/// First come, first served: a caller never overtakes one that waits. The pool's owner performs what is returned.
package struct PoolState<Connection, Caller: Equatable> {
    /// What a caller that asked for a connection shall do.
    package enum Lease {
        case use(Connection)
        /// A place is reserved: open a connection, then report `opened` or `failedToOpen`.
        case open
        case wait
        case refuse(PostgresError)
    }

    /// What shall happen to callers that wait, and to connections that are no longer wanted.
    package struct Actions {
        package var hand: [(Caller, Connection)] = []
        package var openFor: [Caller] = []
        package var refuse: [(Caller, PostgresError)] = []
        package var close: [Connection] = []
    }

    private struct Idle {
        let connection: Connection
        let openedAt: ContinuousClock.Instant
        let since: ContinuousClock.Instant
    }

    private struct Waiting {
        let caller: Caller
        let deadline: ContinuousClock.Instant
    }

    private let options: PostgresPoolOptions
    private var idle: [Idle] = []
    private var waiting = Deque<Waiting>()
    private var backoff = Backoff()
    private(set) var isShutDown = false
    /// Connections that exist or are being opened.
    package private(set) var count = 0

    package init(options: PostgresPoolOptions) { self.options = options }

    package var idleCount: Int { idle.count }
    package var waitingCount: Int { waiting.count }

    /// A caller asks.
    package mutating func lease(_ caller: Caller, at now: ContinuousClock.Instant) -> Lease {
        if isShutDown { return .refuse(.shutDown) }
        // The one used last: the others age and are closed when the load falls.
        if waiting.isEmpty, let last = idle.popLast() { return .use(last.connection) }
        if waiting.isEmpty, count < options.maximumConnections {
            guard let refusal = backoff.refusal(at: now) else {
                count += 1
                return .open
            }
            guard count > 0 else { return .refuse(refusal) }
        }
        guard waiting.count < options.maximumWaiters else {
            return .refuse(PostgresError(.queueFull, "too many callers wait for a connection"))
        }
        waiting.append(Waiting(caller: caller, deadline: now + options.leaseDeadline))
        return .wait
    }

    /// A reserved place became a connection, which its opener uses.
    package mutating func opened() {
        backoff.succeeded()
    }

    /// A reserved place stayed empty.
    package mutating func failedToOpen(_ error: PostgresError, at now: ContinuousClock.Instant) -> Actions {
        count -= 1
        // A caller that was cancelled says nothing about the server.
        if error.code == .cancelled { return openForNext(at: now) }
        backoff.failed(error, at: now)
        var actions = Actions()
        if count == 0 {
            // Nobody is left who could hand a connection on.
            actions.refuse = waiting.map { ($0.caller, error) }
            waiting = []
        }
        return actions
    }

    /// A connection comes back; one that cannot be used again is dropped.
    package mutating func release(
        _ connection: Connection,
        openedAt: ContinuousClock.Instant,
        isReusable: Bool,
        at now: ContinuousClock.Instant
    ) -> Actions {
        var actions = Actions()
        guard isReusable, !isShutDown, now - openedAt < options.maximumLifetime else {
            count -= 1
            actions = openForNext(at: now)
            actions.close.append(connection)
            return actions
        }
        if let next = waiting.popFirst() {
            actions.hand.append((next.caller, connection))
        } else {
            idle.append(Idle(connection: connection, openedAt: openedAt, since: now))
        }
        return actions
    }

    private mutating func openForNext(at now: ContinuousClock.Instant) -> Actions {
        var actions = Actions()
        guard !isShutDown, count < options.maximumConnections, let next = waiting.popFirst() else {
            return actions
        }
        if let refusal = backoff.refusal(at: now), count == 0 {
            actions.refuse.append((next.caller, refusal))
            actions.refuse += waiting.map { ($0.caller, refusal) }
            waiting = []
        } else {
            count += 1
            actions.openFor.append(next.caller)
        }
        return actions
    }

    /// A caller gives up waiting.
    /// - Returns: whether it was still waiting.
    package mutating func giveUp(_ caller: Caller) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.caller == caller }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Time has passed.
    package mutating func tick(at now: ContinuousClock.Instant, isUsable: (Connection) -> Bool) -> Actions {
        var actions = Actions()
        while let first = waiting.first, first.deadline <= now {
            waiting.removeFirst()
            actions.refuse.append((first.caller, PostgresError(.poolTimedOut, "no connection came free in time")))
        }
        // After a failed attempt a place can be free while callers wait.
        while backoff.refusal(at: now) == nil, let next = openForNext(at: now).openFor.first {
            actions.openFor.append(next)
        }
        let options = self.options
        let kept = self.idle.filter { idle in
            let isTooOld =
                now - idle.since >= options.idleLifetime || now - idle.openedAt >= options.maximumLifetime
            return !isTooOld && isUsable(idle.connection)
        }
        if kept.count < self.idle.count {
            actions.close = self.idle
                .filter { idle in
                    now - idle.since >= options.idleLifetime || now - idle.openedAt >= options.maximumLifetime
                        || !isUsable(idle.connection)
                }
                .map(\.connection)
            count -= self.idle.count - kept.count
            self.idle = kept
        }
        return actions
    }

    /// No more leases.
    ///
    /// Connections in use are closed as they come back.
    package mutating func shutDown() -> Actions {
        isShutDown = true
        var actions = Actions()
        actions.refuse = waiting.map { ($0.caller, .shutDown) }
        actions.close = idle.map(\.connection)
        count -= idle.count
        idle = []
        waiting = []
        return actions
    }
}
