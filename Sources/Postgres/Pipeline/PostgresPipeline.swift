import LibPQ
public import Logging
import Synchronization

/// One connection that any number of tasks share for look-ups.
///
/// - All look-ups that come in while the reactor is busy go out in one flush with one sync, so the more there are, the less each costs.
/// - Identical look-ups are joined, but **only while the first is not yet written**: a result under way may be older than the caller.
/// - The server holds the connection to be read-only, which is what makes sharing a sync point safe: see `Conversation`.
/// - A cancelled or late caller leaves alone; its look-up is not cancelled on the server, for others share the connection. The server's
///   `statement_timeout`, set to the configuration's `queryDeadline`, ends a slow one.
/// - It connects at the first look-up and again when the connection broke, and leaves a server alone for a while that cannot be reached.
public final class PostgresPipeline: Sendable {
    private struct State {
        var session: Session?
        var backoff = Backoff()
        var isShutDown = false
    }

    private let configuration: PostgresConfiguration
    private let reactor: Reactor
    private let logger: Logger
    private let state = Mutex(State())

    /// Describes the connection; nothing is opened yet.
    public init(_ configuration: PostgresConfiguration, reactor: Reactor, logger: Logger) {
        let (seconds, attoseconds) = configuration.queryDeadline.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        self.configuration =
            configuration
            .setting("default_transaction_read_only", "on")
            .setting("statement_timeout", "\(max(1, milliseconds))ms")
        self.reactor = reactor
        self.logger = logger
    }

    deinit {
        self.state.withLock { $0.session }?.closeNow(.shutDown)
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
        let session = try self.currentSession()
        let waiter = Waiter<Rows>()
        session.submit(
            Request(
                .query(statement, ParameterBuffer(parameters)),
                deadline: .now + (deadline ?? self.configuration.queryDeadline),
                waiter: waiter
            ),
            joining: true
        )
        return try await waiter.value(onCancel: {
            waiter.finish(.failure(.taskCancelled))
        })
    }

    /// Whether a connection is there that has not broken.
    public var isConnected: Bool { self.state.withLock { $0.session?.isUsable ?? false } }

    /// How many callers wait for look-ups that are not written: those that can still be joined, and the rest.
    package var backlog: (joinable: Int, taken: Int) {
        self.state.withLock { $0.session }?.backlog ?? (0, 0)
    }

    /// Closes the connection; callers that wait get `closed`, and so do later ones.
    public func shutdown() async {
        let session = self.state.withLock { state in
            state.isShutDown = true
            return state.session
        }
        session?.closeNow(.shutDown)
    }

    private func currentSession() throws(PostgresError) -> Session {
        try self.state.withLock { state throws(PostgresError) in
            if state.isShutDown { throw .shutDown }
            if let session = state.session, session.isUsable { return session }
            if let refusal = state.backoff.refusal(at: .now) { throw refusal }
            let session = Session(self.configuration, policy: .perFlush, reactor: self.reactor, logger: self.logger) {
                [weak self] outcome in
                self?.opened(outcome)
            }
            state.session = session
            return session
        }
    }

    private func opened(_ outcome: Result<Void, PostgresError>) {
        self.state.withLock { state in
            switch outcome {
            case .success: state.backoff.succeeded()
            case .failure(let error): state.backoff.failed(error, at: .now)
            }
        }
    }
}
