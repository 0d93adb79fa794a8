public import FoundationEssentials
public import Keys
public import Postgres

/// The number of verifications with one verdict in one period.
public struct UsageBar: Sendable, Hashable {
    /// The start of the period, in UTC.
    public let start: Timestamp
    /// The code of the verdict.
    ///
    /// A newer program can have written one that this program does not know.
    public let code: String
    /// The number of verifications.
    public let count: Int
}

/// The counts of verifications in one database, for charts.
public struct UsageBars: Sendable {
    /// The length of a period.
    public enum Period: String, Sendable, CaseIterable {
        /// One hour. The last 24 hours are shown.
        case hour
        /// One day in UTC. The last 30 days are shown.
        case day

        /// The number of periods that a chart shows, the present one included.
        public var count: Int { self == .hour ? 24 : 30 }

        /// The length of a period, in seconds.
        public var seconds: Int64 { self == .hour ? 3600 : 86_400 }

        /// Returns the start of the period that contains an instant.
        public func start(of now: Timestamp) -> Timestamp {
            let length = seconds * 1_000_000
            return Timestamp(microsecondsSinceUnixEpoch: now.microsecondsSinceUnixEpoch / length * length)
        }
    }

    let connection: PostgresConnection

    /// Creates a report over a connection to a workspace's database, or to the control database.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let ofKey = Statement(
        """
        SELECT date_trunc($2, hour, 'UTC'), code, sum(count)::bigint FROM auth.key_usage_hourly
        WHERE key_id = $1 AND hour >= $3 GROUP BY 1, 2 ORDER BY 1, 2
        """
    )

    private static let ofAll = Statement(
        """
        SELECT hour, code, sum(count)::bigint FROM auth.key_usage_hourly WHERE hour >= $1 GROUP BY 1, 2 ORDER BY 1, 2
        """
    )

    /// Returns the counts of a key since the start of a period.
    public func bars(ofKey id: UUID, _ period: Period, since start: Timestamp) async throws -> [UsageBar] {
        try await connection.query(Self.ofKey, [id, period.rawValue, start.stored]).map(Self.bar)
    }

    /// Returns the counts of all keys for each hour since an instant.
    public func hours(since start: Timestamp) async throws -> [UsageBar] {
        try await connection.query(Self.ofAll, [start.stored]).map(Self.bar)
    }

    private static func bar(_ row: Row) throws -> UsageBar {
        UsageBar(
            start: try row.timestamp(0),
            code: try row.decode(1),
            count: Int(try row.decode(2, as: Int64.self))
        )
    }
}
