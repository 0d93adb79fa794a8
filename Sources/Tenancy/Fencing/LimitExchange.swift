import Fence
package import FoundationEssentials
package import Keys
import Logging
import Postgres
import Synchronization

/// Reports to the other nodes of a cluster how keys use their limits, and receives their reports.
///
/// It uses the cluster database, with one connection that is opened when two nodes share a limit.
public final class LimitExchange: Sendable {
    /// The time between two deletions of rows that no limit needs.
    private static let cleaningNanoseconds: Int64 = 60_000_000_000

    private static let exchange = Statement(
        "SELECT id, minute_backlog, hour_backlog FROM limits.exchange($1, $2, $3, $4, $5)",
        name: "exchange limits"
    )
    private static let clean = Statement("SELECT limits.delete_replenished()", name: "delete replenished limits")

    private let pool: PostgresPool
    private let view: NodeView
    private let cleanedAt = Atomic<Int64>(Moment.now.nanoseconds)

    /// Creates an exchange, without a connection.
    ///
    /// - Parameters:
    ///   - configuration: The configuration of the cluster's database.
    ///   - deadline: The maximum time of an exchange, with its wait for the connection.
    ///   - view: The other nodes, as this node knows them.
    ///   - reactor: The thread of the connection.
    ///   - logger: Gets the lines about the connection.
    init(
        _ configuration: PostgresConfiguration,
        deadline: Duration,
        view: NodeView,
        reactor: Reactor,
        logger: Logger
    ) {
        var configuration = configuration.setting("statement_timeout", "\(deadline.timeoutMilliseconds)ms")
            // An operator can make a server read-only for changes. Limits go on, as leases do.
            .setting("default_transaction_read_only", "off").setting("synchronous_commit", "off")
        configuration.connectDeadline = min(configuration.connectDeadline, deadline)
        configuration.queryDeadline = deadline
        pool = PostgresPool(
            configuration,
            options: PostgresPoolOptions(maximumConnections: 1, leaseDeadline: deadline),
            reactor: reactor,
            logger: logger
        )
        self.view = view
    }

    func shutdown() async { await pool.shutdown() }

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
        return try await pool.withConnection { connection in
            let rows = try await connection.query(
                Self.exchange,
                [
                    sorted.map(\.id), sorted.map(\.report.added.minute), sorted.map(\.report.added.hour),
                    sorted.map(\.report.known.minute), sorted.map(\.report.known.hour),
                ]
            )
            if claimCleaning() { try await connection.query(Self.clean) }
            return try rows.reduce(into: [:]) { backlogs, row in
                let (id, minute, hour) = try row.decode((UUID, Int64, Int64).self)
                backlogs[id] = RateLimits.Backlog(minute: minute, hour: hour)
            }
        }
    }

    /// Returns true for one caller a minute.
    private func claimCleaning() -> Bool {
        let (now, last) = (Moment.now.nanoseconds, cleanedAt.load(ordering: .relaxed))
        guard now - last > Self.cleaningNanoseconds else { return false }
        return cleanedAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
    }
}
