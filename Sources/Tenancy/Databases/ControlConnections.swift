public import Postgres

/// The service's connections to the control database, as the runtime role.
public struct ControlConnections: Sendable {
    /// For changes and lists; also of the root tenant's keys.
    public let pool: PostgresPool
    /// For single look-ups, shared by all tasks.
    public let lookups: PostgresPipeline
}
