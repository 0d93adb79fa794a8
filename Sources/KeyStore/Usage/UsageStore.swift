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

    // MARK: Old rows

    private static let deleteUsage = Statement(
        """
        DELETE FROM auth.key_usage WHERE secret_id IN (
            SELECT u.secret_id FROM auth.key_usage u
            WHERE NOT EXISTS (SELECT FROM auth.key_secrets s WHERE s.id = u.secret_id)
            LIMIT 1000)
        """
    )

    /// The last hours come first, so that a batch passes few rows that an earlier one has rolled up.
    ///
    /// Half a day is looked through, because no index leads to the minutes: each use would write it. If no node ran for longer than that,
    /// the minutes stay with their hours.
    private static let rollUp = Statement(
        """
        UPDATE auth.key_usage_hourly SET minutes = NULL WHERE (key_id, hour, code) IN (
            SELECT u.key_id, u.hour, u.code
            FROM generate_series(49, 61) hours CROSS JOIN LATERAL (
                SELECT key_id, hour, code FROM auth.key_usage_hourly
                WHERE minutes IS NOT NULL
                    AND hour = date_trunc('hour', clock_timestamp(), 'UTC') - hours * interval '1 hour'
                LIMIT 10000) u
            LIMIT 10000)
        """
    )

    private static let deleteHours = Statement(
        """
        DELETE FROM auth.key_usage_hourly WHERE (key_id, hour, code) IN (
            SELECT key_id, hour, code FROM auth.key_usage_hourly
            WHERE hour < date_trunc('day', clock_timestamp() - interval '400 days', 'UTC')
            LIMIT 1000)
        """
    )

    private static let deleteAddresses = Statement(
        """
        DELETE FROM auth.key_addresses WHERE (key_id, address) IN (
            SELECT key_id, address FROM auth.key_addresses
            WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 30
            LIMIT 1000)
        """
    )

    private static let deleteAddressesOfDeletedKeys = Statement(
        """
        DELETE FROM auth.key_addresses WHERE (key_id, address) IN (
            SELECT a.key_id, a.address FROM auth.key_addresses a
            WHERE NOT EXISTS (SELECT FROM auth.service_keys k WHERE k.id = a.key_id)
              AND NOT EXISTS (SELECT FROM auth.client_keys k WHERE k.id = a.key_id)
            LIMIT 1000)
        """
    )

    /// Deletes the usage of deleted secrets, the addresses of deleted keys, addresses without a use in 30 days and hours older than 400 days,
    /// and rolls up the minutes of hours that ended 48 hours ago.
    ///
    /// After 400 days the present month can still be compared with that of the year before. The first hour and the first
    /// day of a report are complete, so an hour of minutes and a day of hours are kept longer. A count can arrive after its
    /// key's deletion, so the deletion does not do this. No statement changes more than 10,000 rows, so none holds locks for long.
    ///
    /// - Returns: The number of deleted and changed rows.
    /// - Throws: The database's errors, `cancelled`.
    public func prune() async throws -> Int {
        let statements = [
            Self.deleteUsage, Self.deleteHours, Self.deleteAddresses, Self.deleteAddressesOfDeletedKeys,
        ]
        var count = 0
        for statement in statements { count += try await repeated(statement) }
        do throws(PostgresError) {
            count += try await repeated(Self.rollUp)
        } catch {
            // Before w0036 there are no minutes in hours.
            guard error.sqlState == .undefinedColumn else { throw error }
        }
        return count
    }

    /// Executes a statement until it changes nothing more, and returns the number of rows.
    private func repeated(_ statement: Statement) async throws(PostgresError) -> Int {
        var count = 0
        while case let rows = try await connection.query(statement).affectedRows, rows > 0 { count += rows }
        return count
    }
}
