public import Postgres

/// The history of changes that a server continues: a timeline of PostgreSQL, and the identifier of the data folder.
///
/// A promotion begins a new timeline. A server to which a dump was restored has another identifier. Two promotions can choose the same number if
/// the second server never followed the first one (decision 0014, assumption d).
public struct ServerTimeline: Sendable, Hashable {
    /// The system identifier, which a server shares with its standbys.
    public let system: Int64
    /// The number of the timeline.
    public let number: Int64

    /// Creates a timeline.
    public init(system: Int64, number: Int64) {
        self.system = system
        self.number = number
    }

    /// The mark of this timeline's sessions.
    ///
    /// Two timelines with the same mark differ with a probability of all but 2⁻⁶⁴. The multiplier is that of Fibonacci hashing.
    public var mark: SessionMark {
        SessionMark(UInt64(bitPattern: system) ^ (UInt64(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15))
    }

    /// The question that each session of a pipeline must answer before its first read (rule 21).
    ///
    /// A server in recovery answers with an error. Any database of a cluster can be asked: `fence.current_timeline()` is the same query.
    public static let question = SessionQuestion(statement) { rows throws(PostgresError) in
        try ServerTimeline(rows).mark
    }

    private static let statement = Statement(
        """
        SELECT s.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint
        FROM pg_control_system() s
        """,
        name: "read timeline"
    )

    /// Reads the timeline of a connection's server.
    ///
    /// - Parameter connection: A connection to any database of the server.
    /// - Returns: The timeline.
    /// - Throws: The database's errors, also for a server in recovery.
    public static func read(on connection: PostgresConnection) async throws(PostgresError) -> ServerTimeline {
        try ServerTimeline(try await connection.query(statement))
    }

    private init(_ rows: Rows) throws(PostgresError) {
        guard let row = rows.first else {
            throw PostgresError(.protocolViolation, "SELECT returned no row")
        }
        let (system, number) = try row.decode((Int64, Int64).self)
        self.init(system: system, number: number)
    }
}
