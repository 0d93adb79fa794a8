public import Postgres

/// The settings of a PostgreSQL server that decide about durability and capacity.
public struct ServerSettings: Sendable, Hashable {
    /// The version as a number: 150004 is 15.4.
    public let version: Int
    /// True if `fsync` is on.
    public let fsync: Bool
    /// True if `full_page_writes` is on.
    public let fullPageWrites: Bool
    /// The value of `synchronous_commit`.
    public let synchronousCommit: String
    /// The value of `synchronous_standby_names`, empty if commits wait for no standby.
    public let synchronousStandbyNames: String
    /// The standbys that a commit waits for.
    public let synchronousStandbys: SynchronousStandbys
    /// The value of `max_connections`.
    public let maximumConnections: Int
    /// True if the server is a standby, which refuses writes.
    public let isStandby: Bool

    /// The standbys of `synchronous_standby_names`, as far as the role can see them.
    public enum SynchronousStandbys: Sendable, Hashable {
        /// This number of standbys follows and is waited for.
        case connected(Int)
        /// The role lacks the right to see the standbys (`pg_read_all_stats`).
        case invisible
    }

    private static let query = Statement(
        """
        SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on',
               current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'),
               current_setting('max_connections')::int, pg_is_in_recovery(), current_setting('synchronous_standby_names'),
               (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')),
               pg_has_role('pg_read_all_stats', 'USAGE')
        """,
        prepared: false
    )

    private static let outdatedCollations = Statement(
        """
        SELECT datname::text FROM pg_database
        WHERE starts_with(datname, $1) AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
        ORDER BY datname
        """,
        prepared: false
    )

    /// Returns the databases of an installation whose indexes were sorted by another version of the system's collations.
    ///
    /// An upgrade of libc or ICU changes how text is sorted, and indexes can then miss rows.
    public static func databasesWithOutdatedCollation(
        of installation: Installation,
        on connection: PostgresConnection
    ) async throws -> [String] {
        try await connection.query(outdatedCollations, [installation.prefix]).map { try $0.decode(0) }
    }

    /// Reads the settings over a connection.
    public init(of connection: PostgresConnection) async throws {
        guard let row = try await connection.query(Self.query).first else {
            throw PostgresError(.protocolViolation, "SELECT returned no row")
        }
        version = Int(try row.decode(0, as: Int32.self))
        fsync = try row.decode(1)
        fullPageWrites = try row.decode(2)
        synchronousCommit = try row.decode(3)
        maximumConnections = Int(try row.decode(4, as: Int32.self))
        isStandby = try row.decode(5)
        synchronousStandbyNames = try row.decode(6)
        let count = Int(try row.decode(7, as: Int64.self))
        synchronousStandbys = try row.decode(8, as: Bool.self) ? .connected(count) : .invisible
    }
}
