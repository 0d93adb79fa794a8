public import FoundationEssentials
public import Keys
public import Postgres

/// The counts of verifications in one database.
///
/// They have tables of their own, so counting never touches a row that a look-up reads.
public struct UsageStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection to a workspace's database, or to the control database.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Adds a batch in one transaction.
    ///
    /// The batch has one count for each secret.
    ///
    /// - Throws: The errors of a transaction. After `commitOutcomeUnknown` the batch may have been added.
    public func add(_ counts: [UsageCount]) async throws {
        try await connection.transaction { _ in
            for addition in UsageBatch(counts).additions {
                _ = try await connection.query(addition.statement, addition.parameters)
            }
        }
    }

    /// Adds a batch over a connection for look-ups, between two of its flushes.
    ///
    /// The batch has one count for each secret. New servers start before the workspaces are migrated, so they count in older ones, too.
    ///
    /// - Throws: The errors of ``PostgresPipeline/query(_:_:deadline:)``. After `commitOutcomeUnknown` the batch may have been
    ///   added.
    public static func add(_ counts: [UsageCount], over pipeline: PostgresPipeline) async throws(PostgresError) {
        do throws(PostgresError) {
            try await write(UsageBatch(counts), over: pipeline)
        } catch {
            guard error.sqlState == .undefinedColumn else { throw error }
            try await write(UsageBatch(counts, before: .minutesInHours), over: pipeline)
        }
    }

    private static func write(_ batch: UsageBatch, over pipeline: PostgresPipeline) async throws(PostgresError) {
        let statements = batch.additions.map { BoundStatement($0.statement, $0.parameters) }
        try await pipeline.write(statements, lockPatience: lockPatience)
    }

    /// The maximum wait for another node's flush, in which look-ups wait too.
    private static let lockPatience = Duration.milliseconds(100)

    // MARK: Addresses

    private static let addresses = Statement(
        """
        SELECT address FROM auth.key_addresses
        WHERE key_id = $1 AND day >= (clock_timestamp() AT TIME ZONE 'UTC')::date - 30
        ORDER BY day DESC, address COLLATE "C"
        LIMIT \(UsageBatch.mostAddresses)
        """
    )

    /// Returns the addresses of the clients that used a key in the last 30 days, as of the last flush, those of the last days first.
    ///
    /// Only accepted verifications that named the client's address count. The days are those of UTC, and today counts besides them.
    ///
    /// - Parameter key: The key.
    /// - Returns: At most a thousand addresses.
    /// - Throws: The database's errors.
    public func addresses(of key: UUID) async throws(PostgresError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for row in try await connection.query(Self.addresses, [key]) {
            if let address = IPAddress(try row.decode(0, as: String.self)) { addresses.append(address) }
        }
        return addresses
    }
}
