public import Postgres

/// The settings of a PostgreSQL server that decide about durability and capacity.
public struct ServerSettings: Sendable, Hashable {
    /// The version as a number: 150004 is 15.4.
    public let version: Int
    /// A Boolean value that indicates whether `fsync` is on.
    public let fsync: Bool
    /// A Boolean value that indicates whether `full_page_writes` is on.
    public let fullPageWrites: Bool
    /// The value of `synchronous_commit`.
    public let synchronousCommit: String
    /// The value of `max_connections`.
    public let maximumConnections: Int
    /// A Boolean value that indicates whether the server is a standby, which refuses writes.
    public let isStandby: Bool

    private static let query = Statement(
        """
        SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on',
               current_setting('full_page_writes') = 'on', current_setting('synchronous_commit'),
               current_setting('max_connections')::int, pg_is_in_recovery()
        """,
        prepared: false
    )

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
    }
}
