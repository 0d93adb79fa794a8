public import Postgres

/// The service's connections to the control database, as the runtime role.
public struct ControlConnections: Sendable {
    /// The pool for changes and lists, including those of the root tenant's keys.
    public let pool: PostgresPool
    /// The pipeline for single look-ups, which all tasks share.
    public let lookups: PostgresPipeline

    private static let probe = Statement("SELECT 1")

    /// Throws if the control database does not answer.
    public func probe() async throws(PostgresError) {
        _ = try await lookups.query(Self.probe)
    }
}
