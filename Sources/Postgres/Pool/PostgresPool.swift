public import Logging
import Synchronization

/// A bounded set of connections to one database, lent to one caller at a time, in the order in which they asked.
///
/// It has no task of its own: a connection is opened by the caller that needs it, and the reactor's clock retires idle ones. A server that
/// cannot be reached is left alone for a while, and callers fail at once meanwhile.
public final class PostgresPool: Sendable {
    private struct Pooled {
        let connection: PostgresConnection
        let openedAt: ContinuousClock.Instant
    }

    /// What a waiting caller is told: a connection, or the reserved place to open one.
    private enum Grant {
        case use(Pooled)
        case open
    }

    private struct Caller: Equatable {
        let waiter: Waiter<Grant>
        static func == (left: Caller, right: Caller) -> Bool { left.waiter === right.waiter }
    }

    /// The reactor's hold on the pool, which does not keep it alive.
    private final class Ticker: Reactor.Ticking {
        private weak let pool: PostgresPool?

        init(_ pool: PostgresPool) { self.pool = pool }

        func tick(at now: ContinuousClock.Instant) { pool?.tick(at: now) }
    }

    private let configuration: PostgresConfiguration
    private let reactor: Reactor
    private let logger: Logger
    private let id: UInt64
    private let state: Mutex<PoolState<Pooled, Caller>>

    /// Describes the pool; nothing is opened yet.
    public init(
        _ configuration: PostgresConfiguration,
        options: PostgresPoolOptions = PostgresPoolOptions(),
        reactor: Reactor,
        logger: Logger
    ) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
        id = reactor.makeID()
        state = Mutex(PoolState(options: options))
        reactor.addTicker(Ticker(self), id: id)
    }

    deinit {
        // Nobody waits and nothing is lent, for either would keep the pool; its idle connections close with it.
        reactor.removeTicker(id: id)
    }

    /// Lends a connection to `body`.
    ///
    /// It goes back when `body` ends, and is closed if a transaction is still open or a statement unanswered.
    ///
    /// - Throws: besides what `body` throws, `poolTimedOut`, `queueFull`, `closed`, `cancelled` and `connectFailed`.
    public func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
        let pooled = try await lease()
        defer { release(pooled) }
        return try await body(pooled.connection)
    }

    /// Executes one statement on a connection of the pool.
    @discardableResult
    public func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        deadline: Duration? = nil
    ) async throws -> Rows {
        try await withConnection { try await $0.query(statement, parameters, deadline: deadline) }
    }

    /// Runs `body` in a transaction on a connection of the pool; see `PostgresConnection.transaction`.
    public func transaction<T>(
        _ options: TransactionOptions = .default,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await withConnection { try await $0.transaction(options, body) }
    }

    /// How the pool is used at this moment.
    public var usage: (open: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.count, $0.idleCount, $0.waitingCount) }
    }

    /// Refuses new callers, closes idle connections, and closes the others as they come back.
    public func shutdown() async {
        perform(state.withLock { $0.shutDown() })
        reactor.removeTicker(id: id)
    }

    // MARK: Leasing

    private func lease() async throws(PostgresError) -> Pooled {
        if Task.isCancelled { throw .taskCancelled }
        // A connection that broke while idle is replaced; each round drops one, so this ends.
        while true {
            let caller = Caller(waiter: Waiter())
            let grant: Grant
            switch state.withLock({ $0.lease(caller, at: .now) }) {
            case .use(let pooled): grant = .use(pooled)
            case .open: grant = .open
            case .refuse(let error): throw error
            case .wait: grant = try await wait(caller)
            }
            switch grant {
            case .open: return try await open()
            case .use(let pooled) where pooled.connection.isUsable: return pooled
            case .use(let pooled): release(pooled)
            }
        }
    }

    private func wait(_ caller: Caller) async throws(PostgresError) -> Grant {
        try await caller.waiter.value(onCancel: {
            // If it no longer waits, a grant is on its way, and will be used or returned.
            guard state.withLock({ $0.giveUp(caller) }) else { return }
            caller.waiter.finish(.failure(PostgresError(.cancelled, "the task was cancelled")))
        })
    }

    private func open() async throws(PostgresError) -> Pooled {
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(
                configuration,
                reactor: reactor,
                logger: logger
            )
            state.withLock { $0.opened() }
            return Pooled(connection: connection, openedAt: .now)
        } catch {
            perform(state.withLock { $0.failedToOpen(error, at: .now) })
            throw error
        }
    }

    private func release(_ pooled: Pooled) {
        let isReusable = pooled.connection.session.isClean
        perform(
            state.withLock {
                $0.release(pooled, openedAt: pooled.openedAt, isReusable: isReusable, at: .now)
            }
        )
    }

    fileprivate func tick(at now: ContinuousClock.Instant) {
        perform(state.withLock { $0.tick(at: now, isUsable: { $0.connection.isUsable }) })
    }

    private func perform(_ actions: PoolState<Pooled, Caller>.Actions) {
        for (caller, pooled) in actions.hand { caller.waiter.finish(.success(.use(pooled))) }
        for caller in actions.openFor { caller.waiter.finish(.success(.open)) }
        for (caller, error) in actions.refuse { caller.waiter.finish(.failure(error)) }
        for pooled in actions.close { pooled.connection.session.closeNow(.shutDown) }
    }
}
