import Fence
package import FoundationEssentials
package import Keys
import Locks
import Logging
import Postgres
import Synchronization

/// Reports to the other nodes of a cluster how keys use their limits, and receives their reports.
///
/// It uses the cluster database, with one connection that is opened when two nodes share a limit.
public final class LimitExchange: Sendable {
    private struct Cleaning {
        var task: Task<Void, Never>?
        var isShutDown = false
    }

    /// The maximum time of a cleaning, with its connection.
    private static let cleaningDeadline = Duration.seconds(10)
    /// The maximum number of rows that one statement of a cleaning deletes, and so locks.
    private static let cleaningBatch = 5_000

    private static let exchange = Statement(
        "SELECT id, minute_backlog, hour_backlog FROM limits.exchange($1, $2, $3, $4, $5)",
        name: "exchange limits"
    )
    /// The deletion of rows whose limits are replenished, and of those that lie ahead by more than a day.
    ///
    /// The latter are of a time before the server's clock was set back. This is no function of the database, so it works on the schema of
    /// an earlier release, too.
    private static let clean = Statement(
        """
        DELETE FROM limits.arrivals WHERE id = ANY (ARRAY(
            SELECT o.id FROM limits.arrivals o,
                (SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint) t (at)
            WHERE (o.minute_arrival < t.at AND o.hour_arrival < t.at)
                OR greatest(o.minute_arrival, o.hour_arrival) > t.at + 86400000000000
            LIMIT $1 FOR UPDATE OF o SKIP LOCKED))
        """,
        name: "delete replenished limits"
    )

    private let pool: PostgresPool
    private let view: NodeView
    private let logger: Logger
    /// The configuration of the connection that a cleaning opens for itself, so that no exchange waits for it.
    private let cleaningConfiguration: PostgresConfiguration
    private let cleaningInterval: Duration
    private let cleanedAt = Atomic<Int64>(Moment.now.nanoseconds)
    private let cleaning = Locked(Cleaning())

    /// Creates an exchange, without a connection.
    ///
    /// - Parameters:
    ///   - configuration: The configuration of the cluster's database.
    ///   - deadline: The maximum time of an exchange, with its wait for the connection.
    ///   - cleaningInterval: The least time between two deletions of rows that no limit needs.
    ///   - view: The other nodes, as this node knows them.
    ///   - reactor: The thread of the connection.
    ///   - logger: Gets the lines about the connection.
    init(
        _ configuration: PostgresConfiguration,
        deadline: Duration,
        cleaningInterval: Duration,
        view: NodeView,
        reactor: Reactor,
        logger: Logger
    ) {
        // An operator can make a server read-only for changes. Limits go on, as leases do.
        let writing = configuration.setting("default_transaction_read_only", "off").setting("synchronous_commit", "off")
        var cleaning = writing.setting("statement_timeout", "\(Self.cleaningDeadline.timeoutMilliseconds)ms")
            .setting("default_transaction_isolation", "read committed")
        cleaning.queryDeadline = Self.cleaningDeadline
        cleaningConfiguration = cleaning
        self.cleaningInterval = cleaningInterval
        self.logger = logger
        var exchanging = writing.setting("statement_timeout", "\(deadline.timeoutMilliseconds)ms")
        exchanging.connectDeadline = min(exchanging.connectDeadline, deadline)
        exchanging.queryDeadline = deadline
        pool = PostgresPool(
            exchanging,
            options: PostgresPoolOptions(maximumConnections: 1, leaseDeadline: deadline),
            reactor: reactor,
            logger: logger
        )
        self.view = view
    }

    func shutdown() async {
        let cleaning = self.cleaning.withLock { cleaning in
            cleaning.isShutDown = true
            return cleaning.task
        }
        cleaning?.cancel()
        await cleaning?.value
        await pool.shutdown()
    }

    /// The number of nodes that share the limits.
    public var nodes: Int { view.nodeCount }

    /// Reports uses, and returns the backlog of all nodes.
    ///
    /// - Parameter reports: The reports, each of another key.
    /// - Returns: The backlog of each key.
    /// - Throws: The database's errors. Then the uses may have been reported or not.
    package func exchange(_ reports: [UUID: RateLimits.Report]) async throws -> [UUID: RateLimits.Backlog] {
        // The function locks rows in this order.
        let sorted = reports.map { (id: $0.key, report: $0.value) }
            .sorted { $0.id < $1.id }
        let backlogs: [UUID: RateLimits.Backlog] = try await pool.withConnection { connection in
            let rows = try await connection.query(
                Self.exchange,
                [
                    sorted.map(\.id), sorted.map(\.report.added.minute), sorted.map(\.report.added.hour),
                    sorted.map(\.report.known.minute), sorted.map(\.report.known.hour),
                ]
            )
            return try rows.reduce(into: [:]) { backlogs, row in
                let (id, minute, hour) = try row.decode((UUID, Int64, Int64).self)
                backlogs[id] = RateLimits.Backlog(minute: minute, hour: hour)
            }
        }
        // The exchange is committed. Whatever the cleaning meets must not look like an exchange that failed.
        if claimCleaning() { startCleaning() }
        return backlogs
    }

    // MARK: Rows that no limit needs

    /// Returns true for one caller in each interval.
    private func claimCleaning() -> Bool {
        let (now, last) = (Moment.now, cleanedAt.load(ordering: .relaxed))
        guard now - Moment(nanoseconds: last) > cleaningInterval else { return false }
        return cleanedAt.compareExchange(expected: last, desired: now.nanoseconds, ordering: .relaxed).exchanged
    }

    /// Starts a cleaning, unless one is under way.
    private func startCleaning() {
        cleaning.withLock { cleaning in
            guard cleaning.task == nil, !cleaning.isShutDown else { return }
            // Detached: the deadline of the request whose exchange it follows is not its own.
            cleaning.task = Task.detached { [self] in
                await clean()
                self.cleaning.withLock { $0.task = nil }
            }
        }
    }

    /// Deletes the rows that no limit needs, some at a time, so that an exchange never waits long for a row.
    private func clean() async {
        do {
            try await PostgresDeadline.with(Self.cleaningDeadline) {
                try await PostgresConnection.with(cleaningConfiguration, reactor: pool.reactor, logger: logger) {
                    connection in
                    var count = Self.cleaningBatch
                    while count == Self.cleaningBatch {
                        count = try await connection.query(Self.clean, [Self.cleaningBatch]).affectedRows
                    }
                }
            }
        } catch {
            if Task.isCancelled { return }
            logger.warning(
                "rows that no limit needs could not be deleted, which is tried again",
                metadata: ["database": "\(cleaningConfiguration)", "error": "\(error)"]
            )
        }
    }
}
