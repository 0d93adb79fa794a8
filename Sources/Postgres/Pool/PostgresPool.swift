import Locks
public import Logging

/// A pool of connections to one database.
///
/// Each connection is lent to one caller at a time, in the order in which the callers ask. Callers of several owners take turns: see
/// ``PostgresFairness``.
///
/// The pool has no task of its own: the caller that needs a connection opens it, and the reactor closes idle connections. After a failed
/// attempt to connect, the pool pauses for up to 0.8 s, and callers that find no open connection fail at once.
public final class PostgresPool: Sendable {
    private struct Pooled {
        let connection: PostgresConnection
        let openedAt: MonotonicInstant
    }

    /// The permission of a caller: a connection, or a reserved slot to open one.
    private enum Grant {
        case use(Pooled)
        case open
    }

    private struct Caller: Equatable {
        let waiter: Waiter<Grant>
        static func == (left: Caller, right: Caller) -> Bool { left.waiter === right.waiter }
    }

    /// The reactor's reference to the pool, which does not keep the pool alive.
    private final class Ticker: Reactor.Ticking {
        private weak let pool: PostgresPool?

        init(_ pool: PostgresPool) { self.pool = pool }

        func tick(at now: MonotonicInstant) { pool?.tick(at: now) }
    }

    private let configuration: PostgresConfiguration
    /// The thread that serves the connections.
    package let reactor: Reactor
    private let logger: Logger
    private let id: UInt64
    private let spans: ClientSpans?
    private let gate: CommitGate
    private let state: Locked<PoolState<Pooled, Caller>>

    /// Creates a pool.
    ///
    /// The first callers open its connections.
    ///
    /// The pool and its connections are traced if a tracer is installed when the pool is created.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - options: The limits of the pool.
    ///   - reactor: The thread that serves the connections.
    ///   - logger: Receives the server's notices at level `debug`.
    public convenience init(
        _ configuration: PostgresConfiguration,
        options: PostgresPoolOptions = PostgresPoolOptions(),
        reactor: Reactor,
        logger: Logger
    ) {
        self.init(configuration, options: options, waitingCommits: nil, reactor: reactor, logger: logger)
    }

    /// Creates a pool that shares a limit of waiting commits with others.
    ///
    /// - Parameters:
    ///   - configuration: The server, the database and the role.
    ///   - options: The limits of the pool.
    ///   - waitingCommits: The gate of several pools; `nil` for a pool by itself.
    ///   - reactor: The thread that serves the connections.
    ///   - logger: Receives the server's notices at level `debug`.
    package init(
        _ configuration: PostgresConfiguration,
        options: PostgresPoolOptions,
        waitingCommits: CommitGate?,
        reactor: Reactor,
        logger: Logger
    ) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
        id = reactor.makeTickerID()
        spans = ClientSpans(configuration)
        gate = CommitGate(limit: options.maximumConnections, within: waitingCommits)
        state = Locked(PoolState(options: options))
        reactor.addTicker(Ticker(self), id: id)
    }

    deinit {
        // No caller waits and no connection is lent, because either would keep the pool. Its idle connections close with it.
        reactor.removeTicker(id: id)
    }

    /// Lends a connection to `body`.
    ///
    /// The connection goes back to the pool when `body` ends. It is closed instead if a transaction is open, a statement is unanswered or a
    /// channel is listened to. A cancelled task leaves the queue.
    ///
    /// - Parameter body: The work. It must not keep the connection.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`, or `poolTimedOut`, `queueFull`, `closed`, `cancelled` or `connectFailed`.
    public func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        let pooled = try await lease()
        defer { release(pooled) }
        return try await body(pooled.connection)
    }

    /// Work over a lent connection for which nobody waits.
    package typealias FollowUp = @Sendable (PostgresConnection) async -> Void

    /// Lends a connection to `body`, and then to work for which the caller does not wait.
    ///
    /// The connection goes back to the pool when that work ends. So there is never more of such work than connections. It runs in a task
    /// of its own, which inherits neither the caller's cancellation nor its common deadline: it needs a limit of its own.
    ///
    /// - Parameter body: The work, which returns its value and what follows; `nil` if nothing does.
    /// - Returns: The value that `body` returns, as soon as it does.
    /// - Throws: The errors of ``withConnection(_:)``.
    package func withConnection<T>(
        leaving body: (PostgresConnection) async throws -> (value: T, followUp: FollowUp?)
    ) async throws -> T {
        let pooled = try await lease()
        do {
            let (value, followUp) = try await body(pooled.connection)
            if let followUp {
                Task.detached { [self] in
                    await followUp(pooled.connection)
                    release(pooled)
                }
            } else {
                release(pooled)
            }
            return value
        } catch {
            release(pooled)
            throw error
        }
    }

    /// Executes a statement on a connection of the pool.
    ///
    /// A cancelled task leaves the queue, or cancels the statement on the server.
    ///
    /// - Parameters:
    ///   - statement: The statement.
    ///   - parameters: The values of `$1`, `$2`, …
    ///   - deadline: The maximum time of the statement, without the wait for a connection. Defaults to the configuration's
    ///     `queryDeadline`.
    /// - Returns: The rows, and the number of affected rows.
    /// - Throws: The errors of ``withConnection(_:)`` and ``PostgresConnection/query(_:_:deadline:)``.
    @discardableResult
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws -> Rows {
        try await withConnection { try await $0.query(statement, parameters, deadline: deadline) }
    }

    /// Runs `body` in a transaction on a connection of the pool.
    ///
    /// A cancelled task leaves the queue. Later, its cancellation has the effect that ``PostgresConnection/transaction(_:_:)`` describes.
    ///
    /// - Parameters:
    ///   - options: The isolation level and the access mode.
    ///   - body: The work. Its statements must use the connection that it gets.
    /// - Returns: The value that `body` returns.
    /// - Throws: The errors of ``withConnection(_:)`` and ``PostgresConnection/transaction(_:_:)``.
    @discardableResult
    public func transaction<T>(
        _ options: TransactionOptions = .default,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await withConnection { try await $0.transaction(options, body) }
    }

    /// The numbers of open connections, of idle connections and of waiting callers at this moment.
    public var usage: (open: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.count, $0.idleCount, $0.waitingCount) }
    }

    /// The counters of the pool since its creation.
    public var statistics: Statistics { state.withLock(\.statistics) }

    /// Shuts the pool down: refuses new callers, closes idle connections, and closes the others when they come back.
    ///
    /// The call does not wait for the others, so a cancellation has no effect on it.
    public func shutdown() async {
        perform(state.withLock { $0.shutDown() })
        reactor.removeTicker(id: id)
    }

    // MARK: Leasing

    private func lease() async throws(PostgresError) -> Pooled {
        if Task.isCancelled { throw .taskCancelled }
        // A connection that broke while idle is replaced. Each round drops one, so the loop ends.
        while true {
            let caller = Caller(waiter: Waiter())
            switch state.withLock({
                $0.lease(caller, at: .now, until: PostgresDeadline.current, of: PostgresFairness.owner)
            }) {
            case .refuse(let error): throw error
            case .use(let pooled):
                if pooled.connection.isUsable { return pooled }
                release(pooled)
            case .open: return try await traced { () async throws(PostgresError) in try await open() }
            case .wait(let refused):
                if let (other, error) = refused { other.waiter.finish(.failure(error)) }
                let pooled = try await traced { () async throws(PostgresError) in
                    switch try await wait(caller) {
                    case .open: try await open()
                    case .use(let pooled): pooled
                    }
                }
                if pooled.connection.isUsable { return pooled }
                release(pooled)
            }
        }
    }

    private func traced(_ body: () async throws(PostgresError) -> Pooled) async throws(PostgresError) -> Pooled {
        guard let spans else { return try await body() }
        return try await spans.wait(body)
    }

    private func wait(_ caller: Caller) async throws(PostgresError) -> Grant {
        try await caller.waiter.value(onCancel: {
            // A caller that no longer waits gets a connection or a slot, which is used or returned.
            guard state.withLock({ $0.giveUp(caller) }) else { return }
            caller.waiter.finish(.failure(.taskCancelled))
        })
    }

    /// The time to connect below which a failure says nothing about the server.
    private static let leastConnectTime = Duration.seconds(1)

    private func open() async throws(PostgresError) -> Pooled {
        // The end of a caller's own time must not make the pool pause and refuse the others.
        let isHurried =
            PostgresDeadline.limit(configuration.connectDeadline)
            < min(configuration.connectDeadline, Self.leastConnectTime)
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(
                configuration,
                reactor: reactor,
                logger: logger,
                spans: spans,
                gate: gate
            )
            state.withLock { $0.opened() }
            return Pooled(connection: connection, openedAt: .now)
        } catch {
            let reason = isHurried && error.code == .connectFailed ? PostgresError.taskCancelled : error
            perform(state.withLock { $0.failedToOpen(reason, at: .now) })
            throw error
        }
    }

    private func release(_ pooled: Pooled) {
        if pooled.connection.session.whenDrained({ [gate] in gate.leave() }) { gate.enter() }
        let isReusable = pooled.connection.session.isClean
        perform(
            state.withLock {
                $0.release(pooled, openedAt: pooled.openedAt, isReusable: isReusable, at: .now)
            }
        )
    }

    fileprivate func tick(at now: MonotonicInstant) {
        perform(state.withLock { $0.tick(at: now, isUsable: { $0.connection.isUsable }) })
    }

    private func perform(_ actions: PoolState<Pooled, Caller>.Actions) {
        for (caller, pooled) in actions.hand { caller.waiter.finish(.success(.use(pooled))) }
        for caller in actions.openFor { caller.waiter.finish(.success(.open)) }
        for (caller, error) in actions.refuse { caller.waiter.finish(.failure(error)) }
        for pooled in actions.close { pooled.connection.session.retire() }
    }
}
