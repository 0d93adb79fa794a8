import Locks

/// A connection of a pipeline, which is opened and replaced as needed, and the reactor that serves it.
final class PipelineLane: Sendable {
    private enum State {
        /// The connection that was opened last, if there is one, and the pause after a failed attempt.
        case inService(Session?, Backoff)
        case shutDown
    }

    private struct Guarded {
        var state = State.inService(nil, Backoff())
        /// The counters of the connections before the current one.
        var past = PostgresPipeline.Statistics()
    }

    let reactor: Reactor
    private let guarded = Locked(Guarded())

    init(_ reactor: Reactor) { self.reactor = reactor }

    deinit { shutDown() }

    /// The connection that was opened last.
    var session: Session? {
        guarded.withLock { if case .inService(let session, _) = $0.state { session } else { nil } }
    }

    /// Returns a connection that accepts statements.
    ///
    /// The connection can still be opening: its statements then wait.
    ///
    /// - Parameter open: Opens a connection, which is patient if the one before it was closed for its silence.
    /// - Returns: The connection.
    /// - Throws: The last error during the pause after a failed attempt, or `closed`.
    func session(
        orOpen open: (_ isPatient: Bool, _ whenOpened: @escaping @Sendable (Outcome<Void>) -> Void) -> Session
    ) throws(PostgresError) -> Session {
        try guarded.withLock { guarded throws(PostgresError) in
            if case .inService(let current?, _) = guarded.state, current.isUsable { return current }
            guard case .inService(let current, let backoff) = guarded.state else { throw .shutDown }
            if let refusal = backoff.refusal(at: .now) { throw refusal }
            if let current { guarded.past += current.statistics }
            guarded.past.connectionAttempts += 1
            let isPatient = current?.froze ?? false
            let session = open(isPatient) { [weak self] outcome in self?.noteOpening(outcome) }
            guarded.state = .inService(session, backoff)
            return session
        }
    }

    private func noteOpening(_ outcome: Outcome<Void>) {
        guarded.withLock { guarded in
            guard case .inService(let session, var backoff) = guarded.state else { return }
            switch outcome {
            case .success: backoff.succeeded()
            case .failure(let error): backoff.failed(error, at: .now)
            }
            guarded.state = .inService(session, backoff)
        }
    }

    /// Closes the connection, and refuses to open another one.
    func shutDown() {
        let session = guarded.withLock { guarded -> Session? in
            guard case .inService(let session, _) = guarded.state else { return nil }
            guarded.state = .shutDown
            if let session { guarded.past += session.statistics }
            return session
        }
        session?.closeNow(.shutDown)
    }

    /// The counters of all connections so far.
    var statistics: PostgresPipeline.Statistics {
        guarded.withLock { guarded in
            var sum = guarded.past
            if case .inService(let session?, _) = guarded.state { sum += session.statistics }
            return sum
        }
    }
}
