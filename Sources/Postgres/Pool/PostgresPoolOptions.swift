/// The bounds of a pool.
public struct PostgresPoolOptions: Sendable {
    /// The most connections open at once.
    ///
    /// Default 8.
    public var maximumConnections: Int
    /// The most callers that may wait for one; the next is refused with `queueFull`.
    ///
    /// Default 1024.
    public var maximumWaiters: Int
    /// How long a caller waits for one, before `poolTimedOut`.
    ///
    /// Default 5 s.
    public var leaseDeadline: Duration
    /// How long an unused connection stays open.
    ///
    /// Default 60 s.
    public var idleLifetime: Duration
    /// How old a connection may grow, so that servers behind a name or a pooler can change.
    ///
    /// Default 1 h.
    public var maximumLifetime: Duration

    /// Describes a pool.
    public init(
        maximumConnections: Int = 8,
        maximumWaiters: Int = 1024,
        leaseDeadline: Duration = .seconds(5),
        idleLifetime: Duration = .seconds(60),
        maximumLifetime: Duration = .seconds(3600)
    ) {
        self.maximumConnections = max(1, maximumConnections)
        self.maximumWaiters = maximumWaiters
        self.leaseDeadline = leaseDeadline
        self.idleLifetime = idleLifetime
        self.maximumLifetime = maximumLifetime
    }
}
