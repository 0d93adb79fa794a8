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
            try await connection.script(Self.script(counts))
        }
    }

    /// Adds a batch over a connection for look-ups, between two of its flushes.
    ///
    /// The batch has one count for each secret.
    ///
    /// - Throws: The errors of ``PostgresPipeline/query(_:_:deadline:)``. After `commitOutcomeUnknown` the batch may have been
    ///   added.
    public static func add(_ counts: [UsageCount], over pipeline: PostgresPipeline) async throws(PostgresError) {
        try await pipeline.write(script(counts), lockPatience: lockPatience)
    }

    /// The maximum wait for another node's flush, in which look-ups wait too.
    private static let lockPatience = Duration.milliseconds(100)

    /// Returns the statements that add a batch.
    ///
    /// The values are ids, numbers, addresses and names of verdicts, which need no quotation. Rows are locked in the order of their ids, so
    /// concurrent flushes of two nodes cannot deadlock.
    private static func script(_ counts: [UsageCount]) -> String {
        var uses = UsageRows(
            [
                ("secret_id", .id), ("key_id", .id), ("last_used_at", .instant), ("verifications", .number),
                ("last_used_address", .text),
            ],
            orderedBy: ["secret_id"],
            count: counts.count
        )
        var addresses: [KeyAddress: Timestamp] = [:]
        var minutes: [Slot: Int] = Dictionary(minimumCapacity: counts.count)
        var hours: [Slot: Int] = Dictionary(minimumCapacity: counts.count)
        for count in counts {
            if let use = count.lastUse {
                uses.add([
                    UUIDv7.text(of: count.secretID), UUIDv7.text(of: count.keyID), use.at.microseconds,
                    String(count.accepted), use.address?.description ?? "NULL",
                ])
                for address in count.addresses {
                    let origin = KeyAddress(keyID: count.keyID, address: address)
                    addresses[origin] = max(addresses[origin] ?? use.at, use.at)
                }
            }
            count.forEachVerdict { minute, number in
                minutes[Slot(keyID: count.keyID, beginning: minute.beginning, code: minute.code), default: 0] += number
                hours[Slot(keyID: count.keyID, beginning: minute.beginningOfHour, code: minute.code), default: 0] +=
                    number
            }
        }
        var statements: [String] = []
        if !uses.isEmpty { statements.append(addition(of: uses)) }
        if !addresses.isEmpty { statements.append(addition(of: addresses)) }
        if !hours.isEmpty {
            statements.append(addition(of: minutes, to: "key_usage_minutes", "minute"))
            statements.append(addition(of: hours, to: "key_usage_hourly", "hour"))
        }
        return statements.joined(separator: "; ")
    }

    /// Returns the statement that adds the uses of secrets.
    private static func addition(of uses: UsageRows) -> String {
        """
        INSERT INTO auth.key_usage (\(uses.names)) \(uses.source)
        ON CONFLICT (secret_id) DO UPDATE
            SET last_used_at = greatest(key_usage.last_used_at, EXCLUDED.last_used_at),
                verifications = key_usage.verifications + EXCLUDED.verifications,
                last_used_address = CASE WHEN EXCLUDED.last_used_at < key_usage.last_used_at
                    THEN coalesce(key_usage.last_used_address, EXCLUDED.last_used_address)
                    ELSE coalesce(EXCLUDED.last_used_address, key_usage.last_used_address) END
        """
    }

    /// The row of a key, a verdict, and a minute or an hour.
    private struct Slot: Hashable {
        let keyID: UUID
        let beginning: Timestamp
        let code: VerdictCode
    }

    /// Returns the statement that adds counts to the table of minutes or of hours.
    private static func addition(of counts: [Slot: Int], to table: String, _ column: String) -> String {
        var rows = UsageRows(
            [("key_id", .id), (column, .instant), ("code", .text), ("count", .number)],
            orderedBy: ["key_id", column, "code"],
            count: counts.count
        )
        for (slot, number) in counts {
            rows.add([
                UUIDv7.text(of: slot.keyID), slot.beginning.microseconds, slot.code.rawValue, String(number),
            ])
        }
        return """
            INSERT INTO auth.\(table) (\(rows.names)) \(rows.source)
            ON CONFLICT (key_id, \(column), code) DO UPDATE SET count = \(table).count + EXCLUDED.count
            """
    }

    /// The row of a key and an address.
    private struct KeyAddress: Hashable {
        let keyID: UUID
        let address: IPAddress
    }

    /// Returns the statement that adds addresses of clients, with the time of the last use.
    ///
    /// It writes nothing for an address that has a row of that day already, and adds no address to a key with a thousand of them.
    private static func addition(of addresses: [KeyAddress: Timestamp]) -> String {
        var rows = UsageRows([("key_id", .id), ("address", .text), ("at", .instant)])
        for (origin, instant) in addresses {
            rows.add([UUIDv7.text(of: origin.keyID), origin.address.description, instant.microseconds])
        }
        return """
            INSERT INTO auth.key_addresses (key_id, address, day)
            SELECT key_id, address, day FROM (
                SELECT v.*, (SELECT a.day FROM auth.key_addresses a WHERE a.key_id = v.key_id AND a.address = v.address) AS known
                FROM (
                    SELECT key_id, address, ((\(UsageRows.instant("at"))) AT TIME ZONE 'UTC')::date AS day
                    FROM unnest(\(rows.arguments)) u (key_id, address, at)
                ) v
            ) v
            WHERE known < day OR known IS NULL AND (
                SELECT count(*) FROM (SELECT FROM auth.key_addresses o WHERE o.key_id = v.key_id LIMIT \(mostAddresses)) o
            ) < \(mostAddresses)
            ORDER BY 1, 2
            ON CONFLICT (key_id, address) DO UPDATE SET day = greatest(key_addresses.day, EXCLUDED.day)
            """
    }

    // MARK: Addresses

    /// The maximum number of addresses of a key, as many as a key can be confined to.
    ///
    /// Concurrent flushes can exceed it by a few.
    private static let mostAddresses = 1000

    private static let addresses = Statement(
        """
        SELECT address FROM auth.key_addresses
        WHERE key_id = $1 AND day >= (clock_timestamp() AT TIME ZONE 'UTC')::date - 30
        ORDER BY day DESC, address COLLATE "C"
        LIMIT \(mostAddresses)
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

    private static let deleteMinutes = Statement(
        """
        DELETE FROM auth.key_usage_minutes WHERE (key_id, minute, code) IN (
            SELECT key_id, minute, code FROM auth.key_usage_minutes
            WHERE minute < clock_timestamp() - interval '49 hours'
            LIMIT 1000)
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

    /// Deletes the usage of deleted secrets, the addresses of deleted keys, addresses without a use in 30 days, minutes older than 48
    /// hours and hours older than 400 days, up to a thousand rows of each.
    ///
    /// After 400 days the present month can still be compared with that of the year before. The first hour and the first
    /// day of a report are complete, so an hour of minutes and a day of hours are kept longer. A count can arrive after its
    /// key's deletion, so the deletion does not do this.
    ///
    /// - Returns: The number of deleted rows.
    public func prune() async throws -> Int {
        try await connection.query(Self.deleteUsage).affectedRows
            + connection.query(Self.deleteMinutes).affectedRows
            + connection.query(Self.deleteHours).affectedRows
            + connection.query(Self.deleteAddresses).affectedRows
            + connection.query(Self.deleteAddressesOfDeletedKeys).affectedRows
    }
}

extension Timestamp {
    /// The microseconds since 1970, as text.
    fileprivate var microseconds: String { String(microsecondsSinceUnixEpoch) }
}
