import KeyStore
public import Keys
public import Postgres

/// The service's connections to the control database, as the runtime role.
public struct ControlConnections: Sendable {
    /// The pool for changes, including those of the root tenant's keys.
    public let pool: PostgresPool
    /// The pool for reads.
    public let readers: PostgresPool
    /// The pool for the counts of uses.
    public let usage: PostgresPool
    /// The pool for changes that stop keys.
    let stops: PostgresPool
    /// The pipeline for single look-ups, which all tasks share.
    public let lookups: PostgresPipeline

    private static let probe = Statement("SELECT 1")
    private static let clock = Statement("SELECT clock_timestamp()")
    private static let durability = Statement("SELECT current_setting('synchronous_commit')")

    /// Returns the value of `synchronous_commit` for the changes of the service, which each of its connections sets to `on`.
    public func synchronousCommit() async throws -> String {
        guard let row = try await pool.query(Self.durability).first else {
            throw PostgresError(.protocolViolation, "SELECT returned no row")
        }
        return try row.decode(0)
    }

    /// Returns the control database's time.
    public func time() async throws(PostgresError) -> Timestamp {
        try await lookups.query(Self.clock).first.orMissing().timestamp(0)
    }

    /// Throws if the control database does not answer.
    public func probe() async throws(PostgresError) {
        _ = try await lookups.query(Self.probe)
    }
}
