public import Postgres

/// The check values of the peppers that an installation has used, in the control database.
///
/// A check value tells one pepper from another and reveals nothing about it.
public struct PepperStore: Sendable {
    let connection: PostgresConnection

    /// Creates a store over a connection to the control database.
    public init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    private static let tableExists = Statement("SELECT to_regclass('control.peppers') IS NOT NULL", prepared: false)
    private static let all = Statement("SELECT id, check_value FROM control.peppers")
    private static let insert = Statement(
        "INSERT INTO control.peppers (id, check_value) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"
    )

    private static let tokensByPepper = Statement(
        "SELECT pepper_id, count(*) FROM auth.key_secrets WHERE ended_at IS NULL GROUP BY pepper_id",
        prepared: false
    )

    /// Returns the number of tokens of keys that have not ended, by the id of the pepper.
    ///
    /// It reads the database of the connection, which can be a workspace's, and all of its secrets.
    public func tokens() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try await connection.query(Self.tokensByPepper, deadline: .seconds(60)) {
            counts[try row.decode(0)] = try row.decode(1, as: Int.self)
        }
        return counts
    }

    /// Returns true if the control database was migrated so far that it can hold check values.
    public func exists() async throws -> Bool {
        try await connection.query(Self.tableExists).first?.decode(0) ?? false
    }

    /// Returns the check value of every pepper that was ever used, by the pepper's id.
    public func checkValues() async throws -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for row in try await connection.query(Self.all) {
            values[try row.decode(0)] = try row.decode(1, as: [UInt8].self)
        }
        return values
    }

    /// Inserts a pepper's check value of 32 bytes.
    ///
    /// - Returns: False if the database has a check value for this id, which then stays.
    public func insert(_ id: String, checkValue: [UInt8]) async throws -> Bool {
        try await connection.query(Self.insert, [id, checkValue]).affectedRows == 1
    }
}
