public import FoundationEssentials
public import Keys
public import Postgres

/// What was counted since the last flush, for one secret.
public struct UsageCount: Sendable {
    /// The secret that was presented.
    public var secretID: UUID
    /// Its key.
    public var keyID: UUID
    /// When it was last accepted; `nil` when it was only refused.
    public var lastUsedAt: Timestamp?
    /// How many verifications ended with each verdict.
    public var verdicts: [VerdictCode: Int]

    /// Describes a count.
    public init(secretID: UUID, keyID: UUID, lastUsedAt: Timestamp?, verdicts: [VerdictCode: Int]) {
        self.secretID = secretID
        self.keyID = keyID
        self.lastUsedAt = lastUsedAt
        self.verdicts = verdicts
    }
}

extension UsageCount {
    /// Counts one verification.
    public mutating func add(_ code: VerdictCode, at now: Timestamp) {
        self.verdicts[code, default: 0] += 1
        if code == .valid { self.lastUsedAt = max(self.lastUsedAt ?? now, now) }
    }

    /// Counts what another count of the same secret holds.
    public mutating func merge(_ other: UsageCount) {
        self.verdicts.merge(other.verdicts, uniquingKeysWith: +)
        self.lastUsedAt = [self.lastUsedAt, other.lastUsedAt].compactMap(\.self).max()
    }
}

/// Where batches of counts go: tables of their own, so that counting never touches a row that a look-up reads.
public struct UsageStore: Sendable {
    let connection: PostgresConnection

    /// Works on a connection to a workspace's database.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Rows are locked in the order of their ids, so that two nodes flushing at once cannot deadlock.
    private static let flushSecrets = Statement(
        """
        INSERT INTO auth.key_usage (secret_id, key_id, last_used_at, verifications)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[]) ORDER BY 1
        ON CONFLICT (secret_id) DO UPDATE
            SET last_used_at = greatest(key_usage.last_used_at, EXCLUDED.last_used_at),
                verifications = key_usage.verifications + EXCLUDED.verifications
        """
    )

    private static let flushHours = Statement(
        """
        INSERT INTO auth.key_usage_hourly (key_id, hour, code, count)
        SELECT key_id, date_trunc('hour', clock_timestamp()), code, count
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS counted (key_id, code, count) ORDER BY 1, 3
        ON CONFLICT (key_id, hour, code) DO UPDATE SET count = key_usage_hourly.count + EXCLUDED.count
        """
    )

    /// Adds a batch.
    public func add(_ counts: [UsageCount]) async throws {
        let used = counts.filter { $0.lastUsedAt != nil }
        if !used.isEmpty {
            try await self.connection.query(
                Self.flushSecrets,
                [
                    used.map(\.secretID), used.map(\.keyID),
                    used.compactMap(\.lastUsedAt)
                        .map {
                            PostgresTimestamp(microsecondsSinceUnixEpoch: $0.microsecondsSinceUnixEpoch)
                        },
                    used.map { Int64($0.verdicts[.valid] ?? 0) },
                ]
            )
        }
        var hours: [HourlyKey: Int] = [:]
        for count in counts {
            for (code, number) in count.verdicts {
                hours[HourlyKey(keyID: count.keyID, code: code), default: 0] += number
            }
        }
        let list = Array(hours)
        try await self.connection.query(
            Self.flushHours,
            [list.map(\.key.keyID), list.map(\.key.code.rawValue), list.map { Int64($0.value) }]
        )
    }

    private struct HourlyKey: Hashable {
        let keyID: UUID
        let code: VerdictCode
    }
}
