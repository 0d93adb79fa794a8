public import FoundationEssentials
import Keys
public import Postgres

/// Old rows. No statement changes more than 10,000 rows, so none holds locks for long.
extension UsageStore {
    // MARK: Old by their time

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

    /// Removes the minutes of hours that ended 48 hours ago.
    ///
    /// The sums of the hours stay. The first hour of a report is complete, so an hour of minutes is kept longer.
    ///
    /// - Returns: The number of changed rows.
    /// - Throws: The database's errors, `cancelled`.
    public func rollUpMinutes() async throws(PostgresError) -> Int {
        do throws(PostgresError) {
            return try await repeated(Self.rollUp)
        } catch {
            // Before w0036 there are no minutes in hours.
            guard error.sqlState == .undefinedColumn else { throw error }
            return 0
        }
    }

    private static let deleteHours = Statement(
        """
        DELETE FROM auth.key_usage_hourly WHERE (key_id, hour, code) IN (
            SELECT key_id, hour, code FROM auth.key_usage_hourly
            WHERE hour < date_trunc('day', clock_timestamp() - interval '400 days', 'UTC')
            LIMIT 1000)
        """
    )

    /// Deletes hours older than 400 days.
    ///
    /// After 400 days the present month can still be compared with that of the year before. The first day of a report is complete, so a day
    /// of hours is kept longer.
    ///
    /// - Returns: The number of deleted rows.
    /// - Throws: The database's errors, `cancelled`.
    public func deleteOldHours() async throws(PostgresError) -> Int { try await repeated(Self.deleteHours) }

    private static let deleteAddresses = Statement(
        """
        DELETE FROM auth.key_addresses WHERE (key_id, address) IN (
            SELECT key_id, address FROM auth.key_addresses
            WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 30
            LIMIT 1000)
        """
    )

    /// Deletes addresses without a use in 30 days.
    ///
    /// - Returns: The number of deleted rows.
    /// - Throws: The database's errors, `cancelled`.
    public func deleteOldAddresses() async throws(PostgresError) -> Int { try await repeated(Self.deleteAddresses) }

    /// Executes a statement until it changes nothing more, and returns the number of rows.
    private func repeated(_ statement: Statement) async throws(PostgresError) -> Int {
        var count = 0
        while case let rows = try await connection.query(statement).affectedRows, rows > 0 { count += rows }
        return count
    }

    // MARK: Of deleted keys

    /// The number of rows that one statement looks at.
    private static let range = 1000
    /// Looks at a range of the primary key, because no index leads to the rows of deleted secrets: a statement that looks for the next of
    /// them reads the whole table if there is none.
    private static let deleteUses = Statement(
        """
        WITH visited AS MATERIALIZED (
            SELECT secret_id FROM auth.key_usage WHERE secret_id > $1::uuid ORDER BY secret_id LIMIT \(range)
        ), deleted AS (
            DELETE FROM auth.key_usage u USING visited v
            WHERE u.secret_id = v.secret_id AND NOT EXISTS (SELECT FROM auth.key_secrets s WHERE s.id = v.secret_id)
            RETURNING 1
        )
        SELECT secret_id, (SELECT count(*) FROM visited), (SELECT count(*) FROM deleted)
        FROM visited ORDER BY secret_id DESC LIMIT 1
        """
    )

    /// Deletes the usage of deleted secrets in a range of the table.
    ///
    /// A count can arrive after its key's deletion, so the deletion does not do this.
    ///
    /// - Parameter position: The end of the range before. `nil` begins with the first row.
    /// - Returns: The number of deleted rows, and the end of the range; `nil` if no row follows.
    /// - Throws: The database's errors, `cancelled`.
    public func deleteUsageOfDeletedSecrets(
        after position: UUID?
    ) async throws(PostgresError) -> (deleted: Int, end: UUID?) {
        guard let row = try await connection.query(Self.deleteUses, [position ?? UUIDv7.beforeAll]).first else {
            return (0, nil)
        }
        let last = try row.decode(0, as: UUID.self)
        let (visited, deleted) = (try row.decode(1, as: Int.self), try row.decode(2, as: Int.self))
        return (deleted, visited < Self.range ? nil : last)
    }

    /// The place of a row of addresses in the order of the table.
    public struct AddressPosition: Sendable, Hashable {
        let keyID: UUID
        let address: String
    }

    private static let deleteAddressesOfKeys = Statement(
        """
        WITH visited AS MATERIALIZED (
            SELECT key_id, address FROM auth.key_addresses
            WHERE (key_id, address) > ($1::uuid, $2::text) ORDER BY key_id, address LIMIT \(range)
        ), deleted AS (
            DELETE FROM auth.key_addresses a USING visited v
            WHERE a.key_id = v.key_id AND a.address = v.address
              AND NOT EXISTS (SELECT FROM auth.service_keys k WHERE k.id = v.key_id)
              AND NOT EXISTS (SELECT FROM auth.client_keys k WHERE k.id = v.key_id)
            RETURNING 1
        )
        SELECT key_id, address, (SELECT count(*) FROM visited), (SELECT count(*) FROM deleted)
        FROM visited ORDER BY key_id DESC, address DESC LIMIT 1
        """
    )

    /// Deletes the addresses of deleted keys in a range of the table.
    ///
    /// - Parameter position: The end of the range before. `nil` begins with the first row.
    /// - Returns: The number of deleted rows, and the end of the range; `nil` if no row follows.
    /// - Throws: The database's errors, `cancelled`.
    public func deleteAddressesOfDeletedKeys(
        after position: AddressPosition?
    ) async throws(PostgresError) -> (deleted: Int, end: AddressPosition?) {
        let parameters: [any PostgresEncodable] = [position?.keyID ?? UUIDv7.beforeAll, position?.address ?? ""]
        guard let row = try await connection.query(Self.deleteAddressesOfKeys, parameters).first else {
            return (0, nil)
        }
        let last = AddressPosition(keyID: try row.decode(0, as: UUID.self), address: try row.decode(1, as: String.self))
        let (visited, deleted) = (try row.decode(2, as: Int.self), try row.decode(3, as: Int.self))
        return (deleted, visited < Self.range ? nil : last)
    }
}
