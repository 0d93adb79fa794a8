package import FoundationEssentials

/// The assignment of connections to callers: a pure state machine over any types of connections and callers.
///
/// Callers of one owner are served in the order in which they ask, and owners take turns: see `FairQueue`. No caller that asks overtakes
/// one that waits. The user of the state machine performs the actions that it returns.
package struct PoolState<Connection, Caller: Equatable> {
    /// The next action of a caller that asks for a connection.
    package enum Lease {
        case use(Connection)
        /// Open a connection, then report ``opened()`` or ``failedToOpen(_:at:)``. A slot is reserved for it.
        case open
        /// Wait. The other caller, if there is one, had to leave the full queue and gets the error.
        case wait(refusing: (Caller, PostgresError)?)
        case refuse(PostgresError)
    }

    /// The actions for callers that wait and for connections that are no longer wanted.
    package struct Actions {
        package var hand: [(Caller, Connection)] = []
        package var openFor: [Caller] = []
        package var refuse: [(Caller, PostgresError)] = []
        package var close: [Connection] = []
    }

    private struct Idle {
        let connection: Connection
        let openedAt: MonotonicInstant
        let since: MonotonicInstant
    }

    private struct Waiting {
        let caller: Caller
        let deadline: MonotonicInstant
    }

    /// The sides of the pool: either connections wait for callers, or callers wait for connections.
    private enum Phase {
        /// No caller waits. These connections, which can be none, are free.
        case stocked([Idle])
        /// No connection is free. These callers, at least one, wait.
        case queued(FairQueue<UUID?, Waiting>)
        case shutDown
    }

    private let options: PostgresPoolOptions
    private var phase = Phase.stocked([])
    private var backoff = Backoff()
    /// The number of connections that exist or are being opened.
    package private(set) var count = 0
    /// The counters of the pool since its creation.
    package private(set) var statistics = PostgresPool.Statistics()

    package init(options: PostgresPoolOptions) { self.options = options }

    package var idleCount: Int {
        if case .stocked(let idle) = phase { idle.count } else { 0 }
    }

    package var waitingCount: Int {
        if case .queued(let waiting) = phase { waiting.count } else { 0 }
    }

    /// Decides what a caller that asks for a connection does.
    ///
    /// - Parameters:
    ///   - caller: The caller.
    ///   - now: The current instant.
    ///   - deadline: The caller's own deadline, if there is one, which can be earlier than the pool's.
    ///   - owner: The owner on whose behalf the caller asks. It is evaluated only if the caller cannot have a connection at once. Defaults
    ///     to `nil`, an owner like any other.
    /// - Returns: The next action of the caller.
    package mutating func lease(
        _ caller: Caller,
        at now: MonotonicInstant,
        until deadline: MonotonicInstant? = nil,
        of owner: @autoclosure () -> UUID? = nil
    ) -> Lease {
        switch phase {
        case .shutDown: return .refuse(.shutDown)
        case .queued: return enqueue(caller, of: owner(), at: now, deadline)
        case .stocked(var idle):
            phase = .stocked([])
            // The connection used last: the others age, and are closed when the load falls.
            if let last = idle.popLast() {
                phase = .stocked(idle)
                return .use(last.connection)
            }
            guard count < options.maximumConnections else {
                return enqueue(caller, of: owner(), at: now, deadline)
            }
            if let refusal = backoff.refusal(at: now) {
                return count > 0 ? enqueue(caller, of: owner(), at: now, deadline) : .refuse(refusal)
            }
            count += 1
            statistics.connectionAttempts += 1
            return .open
        }
    }

    /// Lets a caller wait.
    ///
    /// In a full queue it takes the place of the last caller of the owner that has the most, if its own owner has fewer.
    private mutating func enqueue(
        _ caller: Caller,
        of owner: UUID?,
        at now: MonotonicInstant,
        _ deadline: MonotonicInstant?
    ) -> Lease {
        var waiting = FairQueue<UUID?, Waiting>()
        if case .queued(let present) = phase { waiting = present }
        phase = .stocked([])
        defer { if !waiting.isEmpty { phase = .queued(waiting) } }
        var displaced: Waiting?
        if waiting.count >= options.maximumWaiters {
            displaced = waiting.removeLast(ofMoreThan: waiting.count(of: owner))
            guard displaced != nil else { return .refuse(Self.full) }
        }
        let last = now + options.leaseDeadline
        waiting.append(Waiting(caller: caller, deadline: deadline.map { min($0, last) } ?? last), of: owner)
        statistics.waits += 1
        return .wait(refusing: displaced.map { ($0.caller, Self.full) })
    }

    private static var full: PostgresError { PostgresError(.queueFull, "too many callers wait for a connection") }

    /// Changes the queue of waiting callers, if there is one.
    private mutating func withQueue<Value>(
        _ change: (inout FairQueue<UUID?, Waiting>) -> Value?
    ) -> Value? {
        guard case .queued(var waiting) = phase else { return nil }
        phase = .stocked([])
        defer { if !waiting.isEmpty { phase = .queued(waiting) } }
        return change(&waiting)
    }

    /// Notes that a caller opened the connection for which a slot was reserved, and uses it.
    package mutating func opened() {
        backoff.succeeded()
    }

    /// Frees the reserved slot of a caller that could not open a connection.
    package mutating func failedToOpen(_ error: PostgresError, at now: MonotonicInstant) -> Actions {
        count -= 1
        // A cancelled caller says nothing about the server.
        if error.code == .cancelled { return openForNext(at: now) }
        statistics.failedAttempts += 1
        backoff.failed(error, at: now)
        // With the last connection gone, no caller remains that could hand a connection on.
        return count == 0 ? refuseAll(error) : Actions()
    }

    /// Takes a connection back.
    ///
    /// A connection that cannot be used again is closed.
    package mutating func release(
        _ connection: Connection,
        openedAt: MonotonicInstant,
        isReusable: Bool,
        at now: MonotonicInstant
    ) -> Actions {
        guard isReusable, now - openedAt < options.maximumLifetime else { return drop(connection, at: now) }
        switch phase {
        case .shutDown: return drop(connection, at: now)
        case .queued:
            var actions = Actions()
            if let next = popWaiting() { actions.hand.append((next.caller, connection)) }
            return actions
        case .stocked(var idle):
            phase = .stocked([])
            idle.append(Idle(connection: connection, openedAt: openedAt, since: now))
            phase = .stocked(idle)
            return Actions()
        }
    }

    private mutating func drop(_ connection: Connection, at now: MonotonicInstant) -> Actions {
        count -= 1
        var actions = openForNext(at: now)
        actions.close.append(connection)
        return actions
    }

    private mutating func openForNext(at now: MonotonicInstant) -> Actions {
        guard count < options.maximumConnections, case .queued = phase else { return Actions() }
        if count == 0, let refusal = backoff.refusal(at: now) { return refuseAll(refusal) }
        var actions = Actions()
        if let next = popWaiting() {
            count += 1
            statistics.connectionAttempts += 1
            actions.openFor.append(next.caller)
        }
        return actions
    }

    private mutating func refuseAll(_ error: PostgresError) -> Actions {
        var actions = Actions()
        actions.refuse = (withQueue { $0.removeAll() } ?? []).map { ($0.caller, error) }
        return actions
    }

    /// Removes the waiting caller whose turn it is.
    private mutating func popWaiting() -> Waiting? { withQueue { $0.removeFirst() } }

    /// Removes a caller that no longer wants to wait.
    ///
    /// - Returns: True if the caller was waiting.
    package mutating func giveUp(_ caller: Caller) -> Bool {
        withQueue { waiting in waiting.removeFirst { $0.caller == caller } } != nil
    }

    /// Refuses callers that waited too long, and closes connections that are old, unused or broken.
    package mutating func tick(at now: MonotonicInstant, isUsable: (Connection) -> Bool) -> Actions {
        var actions = Actions()
        let late = withQueue { waiting in waiting.removeAll { $0.deadline <= now } } ?? []
        statistics.timeouts += late.count
        actions.refuse = late.map { ($0.caller, PostgresError(.poolTimedOut, "no connection came free in time")) }
        // After a failed attempt a slot can be free while callers wait.
        while backoff.refusal(at: now) == nil, let next = openForNext(at: now).openFor.first {
            actions.openFor.append(next)
        }
        if case .stocked(let idle) = phase {
            var kept: [Idle] = []
            for entry in idle {
                let isTooOld =
                    now - entry.since >= options.idleLifetime || now - entry.openedAt >= options.maximumLifetime
                if !isTooOld, isUsable(entry.connection) {
                    kept.append(entry)
                } else {
                    actions.close.append(entry.connection)
                }
            }
            count -= idle.count - kept.count
            phase = .stocked(kept)
        }
        return actions
    }

    /// Refuses all callers from now on, and closes the idle connections.
    ///
    /// Connections in use are closed when they come back.
    package mutating func shutDown() -> Actions {
        defer { phase = .shutDown }
        switch phase {
        case .shutDown: return Actions()
        case .queued: return refuseAll(.shutDown)
        case .stocked(let idle):
            count -= idle.count
            var actions = Actions()
            actions.close = idle.map(\.connection)
            return actions
        }
    }
}
