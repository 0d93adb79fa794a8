public import FoundationEssentials
public import Keys
public import Postgres

/// The verifications of one secret since the last flush.
public struct UsageCount: Sendable {
    /// The secret.
    public var secretID: UUID
    /// The key.
    public var keyID: UUID
    /// The time of the last accepted verification; `nil` if all were refused.
    public var lastUsedAt: Timestamp?
    /// The count of the first hour and verdict, which nearly all verifications share.
    ///
    /// It needs no memory of its own.
    private var common: (hour: Hour, count: Int)?
    private var others: [Hour: Int]

    /// The number of verifications with each verdict in each hour.
    public var verdicts: [Hour: Int] {
        guard let common else { return others }
        return others.merging([common.hour: common.count], uniquingKeysWith: +)
    }

    /// A verdict in an hour.
    public struct Hour: Sendable, Hashable {
        /// The number of hours since 1970, UTC.
        public let number: Int64
        /// The verdict.
        public let code: VerdictCode

        /// Creates the hour of an instant.
        public init(of now: Timestamp, _ code: VerdictCode) {
            let length: Int64 = 3_600_000_000
            // Rounded down, also before 1970.
            let (quotient, remainder) = now.microsecondsSinceUnixEpoch.quotientAndRemainder(dividingBy: length)
            number = remainder < 0 ? quotient - 1 : quotient
            self.code = code
        }

        var beginning: Timestamp { Timestamp(microsecondsSinceUnixEpoch: number * 3_600_000_000) }
    }

    /// Creates a count of zero.
    public init(secretID: UUID, keyID: UUID) {
        self.secretID = secretID
        self.keyID = keyID
        others = [:]
    }

    /// Counts verifications of one hour and verdict.
    fileprivate mutating func add(_ number: Int, _ hour: Hour) {
        if let common, common.hour != hour {
            others[hour, default: 0] += number
        } else {
            self.common = (hour, (self.common?.count ?? 0) + number)
        }
    }

    var accepted: Int { verdicts.reduce(0) { $1.key.code == .valid ? $0 + $1.value : $0 } }
}

extension UsageCount {
    /// Counts one verification.
    public mutating func add(_ code: VerdictCode, at now: Timestamp) {
        add(1, Hour(of: now, code))
        if code == .valid { lastUsedAt = max(lastUsedAt ?? now, now) }
    }

    /// Adds another count of the same secret.
    public mutating func merge(_ other: UsageCount) {
        for (hour, number) in other.verdicts { add(number, hour) }
        lastUsedAt = [lastUsedAt, other.lastUsedAt].compactMap(\.self).max()
    }
}

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
    /// Their values are ids, numbers and names of verdicts, which need no quotation. Rows are locked in the order of their ids, so
    /// concurrent flushes of two nodes cannot deadlock.
    private static func script(_ counts: [UsageCount]) -> String {
        var secrets: [String] = []
        var hours: [HourlyKey: Int] = [:]
        for count in counts {
            if let used = count.lastUsedAt {
                secrets.append(
                    "('\(count.secretID)'::uuid, '\(count.keyID)'::uuid, \(instant(used)), \(count.accepted)::bigint)"
                )
            }
            for (hour, number) in count.verdicts {
                hours[HourlyKey(keyID: count.keyID, hour: hour), default: 0] += number
            }
        }
        var statements: [String] = []
        if !secrets.isEmpty {
            statements.append(
                """
                INSERT INTO auth.key_usage (secret_id, key_id, last_used_at, verifications)
                SELECT * FROM (VALUES \(secrets.joined(separator: ", "))) v ORDER BY 1
                ON CONFLICT (secret_id) DO UPDATE
                    SET last_used_at = greatest(key_usage.last_used_at, EXCLUDED.last_used_at),
                        verifications = key_usage.verifications + EXCLUDED.verifications
                """
            )
        }
        if !hours.isEmpty {
            let rows = hours.map { key, number in
                "('\(key.keyID)'::uuid, \(instant(key.hour.beginning)), '\(key.hour.code.rawValue)'::text, \(number)::bigint)"
            }
            statements.append(
                """
                INSERT INTO auth.key_usage_hourly (key_id, hour, code, count)
                SELECT * FROM (VALUES \(rows.joined(separator: ", "))) v ORDER BY 1, 2, 3
                ON CONFLICT (key_id, hour, code) DO UPDATE SET count = key_usage_hourly.count + EXCLUDED.count
                """
            )
        }
        return statements.joined(separator: "; ")
    }

    /// Returns an instant as SQL.
    ///
    /// PostgreSQL multiplies by whole microseconds without rounding.
    private static func instant(_ timestamp: Timestamp) -> String {
        "timestamptz '1970-01-01 00:00:00+00' + interval '1 us' * \(timestamp.microsecondsSinceUnixEpoch)"
    }

    private struct HourlyKey: Hashable {
        let keyID: UUID
        let hour: UsageCount.Hour
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

    private static let deleteHours = Statement(
        """
        DELETE FROM auth.key_usage_hourly WHERE (key_id, hour, code) IN (
            SELECT key_id, hour, code FROM auth.key_usage_hourly
            WHERE hour < clock_timestamp() - interval '400 days'
            LIMIT 1000)
        """
    )

    /// Deletes the usage of deleted secrets and hours older than 400 days, up to a thousand rows of each.
    ///
    /// After 400 days the present month can still be compared with that of the year before. A count can arrive after
    /// its key's deletion, so the deletion does not do this.
    ///
    /// - Returns: The number of deleted rows.
    public func prune() async throws -> Int {
        try await connection.query(Self.deleteUsage).affectedRows
            + connection.query(Self.deleteHours).affectedRows
    }
}
