import LibPQ
public import Logging
import Synchronization

/// A connection, or a few, that any number of tasks share for look-ups.
///
/// - All look-ups that come in while the reactor is busy go out in one flush with one sync, so the more there are, the less each costs.
/// - Identical look-ups are joined, but **only while the first is not yet written**: a result under way may be older than the caller.
/// - The server holds the connection to be read-only, which is what makes sharing a sync point safe: see `Conversation`.
/// - A cancelled or late caller leaves alone; its look-up is not cancelled on the server, for others share the connection. The server's
///   `statement_timeout`, set to the configuration's `queryDeadline`, ends a slow one.
/// - It connects at the first look-up and again when the connection broke, and leaves a server alone for a while that cannot be reached.
public final class PostgresPipeline: Sendable {
    /// A connection, which is opened and replaced as needed, and the reactor that serves it.
    private final class Lane: Sendable {
        private enum State {
            case inService(Session?, Backoff)
            case shutDown
        }

        let reactor: Reactor
        private let state = Mutex(State.inService(nil, Backoff()))

        init(_ reactor: Reactor) { self.reactor = reactor }

        deinit { shutDown() }

        /// The connection that was opened last.
        var session: Session? {
            state.withLock { if case .inService(let session, _) = $0 { session } else { nil } }
        }

        /// Returns a usable connection. It can still be connecting.
        func session(
            orOpen open: (_ whenOpened: @escaping @Sendable (Result<Void, PostgresError>) -> Void) -> Session
        ) throws(PostgresError) -> Session {
            try self.state.withLock { state throws(PostgresError) in
                guard case .inService(let current, let backoff) = state else { throw .shutDown }
                if let current, current.isUsable { return current }
                if let refusal = backoff.refusal(at: .now) { throw refusal }
                let session = open { [weak self] outcome in self?.noteOpening(outcome) }
                state = .inService(session, backoff)
                return session
            }
        }

        private func noteOpening(_ outcome: Result<Void, PostgresError>) {
            self.state.withLock { state in
                guard case .inService(let session, var backoff) = state else { return }
                switch outcome {
                case .success: backoff.succeeded()
                case .failure(let error): backoff.failed(error, at: .now)
                }
                state = .inService(session, backoff)
            }
        }

        /// Closes the connection, and refuses to open another one.
        func shutDown() {
            let session = self.state.withLock { state -> Session? in
                defer { state = .shutDown }
                guard case .inService(let session, _) = state else { return nil }
                return session
            }
            session?.closeNow(.shutDown)
        }
    }

    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let lanes: [Lane]

    /// Describes the connections; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - configuration: where to connect.
    ///   - reactors: the threads that the connections live on, one on each, and at least one. A task that runs on one of them uses that
    ///     one's connection, any other task the one that its parameters say, so that identical look-ups meet.
    ///   - logger: gets the server's notices.
    public init(
        _ configuration: PostgresConfiguration,
        reactors: [Reactor],
        logger: Logger
    ) {
        precondition(!reactors.isEmpty, "a connection lives on a reactor")
        lanes = reactors.map { Lane($0) }
        let (seconds, attoseconds) = configuration.queryDeadline.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        self.configuration =
            configuration
            .setting("default_transaction_read_only", "on")
            .setting("statement_timeout", "\(max(1, milliseconds))ms")
        self.logger = logger
    }

    /// Looks something up.
    ///
    /// - Throws: `connectFailed`, `connectionLost`, `deadlineExceeded`, `cancelled`, `queueFull`, `closed`, or the server's error.
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws(PostgresError) -> Rows {
        if Task.isCancelled { throw .taskCancelled }
        let parameters = ParameterBuffer(parameters)
        let lane = self.lane(parameters)
        let session = try lane.session { whenOpened in
            Session(configuration, policy: .perFlush, reactor: lane.reactor, logger: logger, onOpen: whenOpened)
        }
        let waiter = Waiter<Rows>()
        session.submit(
            Request(
                .query(statement, parameters),
                deadline: .now + (deadline ?? configuration.queryDeadline),
                waiter: waiter
            ),
            joining: true
        )
        return try await waiter.value(onCancel: {
            waiter.finish(.failure(.taskCancelled))
        })
    }

    /// Whether a connection is there that has not broken.
    public var isConnected: Bool {
        lanes.contains { $0.session?.isUsable ?? false }
    }

    /// How many callers wait for look-ups that can still be joined, that wait to be written, and that are written.
    package var backlog: (joinable: Int, waiting: Int, written: Int) {
        lanes.reduce(into: (0, 0, 0)) { sum, lane in
            guard let backlog = lane.session?.backlog else { return }
            sum = (sum.0 + backlog.joinable, sum.1 + backlog.waiting, sum.2 + backlog.written)
        }
    }

    /// Closes the connection; callers that wait get `closed`, and so do later ones.
    public func shutdown() async {
        for lane in lanes { lane.shutDown() }
    }

    private func lane(_ parameters: ParameterBuffer) -> Lane {
        if lanes.count == 1 { return lanes[0] }
        return lanes.first(where: \.reactor.isOwnThread)
            ?? lanes[Int(UInt(bitPattern: parameters.hashValue) % UInt(lanes.count))]
    }

}
