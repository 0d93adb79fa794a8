/// The limits of a connection pool.
public struct PostgresPoolOptions: Sendable {
    /// The maximum number of open connections, at least 1.
    ///
    /// Defaults to 8.
    public var maximumConnections: Int
    /// The maximum number of callers that wait for a connection.
    ///
    /// The next caller gets `queueFull`, or the last caller of the owner that has the most, if the next one's has fewer. Defaults to 1024.
    public var maximumWaiters: Int
    /// The maximum time that a caller waits for a connection, before it gets `poolTimedOut`.
    ///
    /// Defaults to 5 seconds.
    public var leaseDeadline: Duration
    /// The time after which an unused connection is closed.
    ///
    /// Defaults to 60 seconds.
    public var idleLifetime: Duration
    /// The maximum age of a connection.
    ///
    /// Defaults to 1 hour.
    ///
    /// With a limited age, all connections move in time when the server behind a host name or a pooler changes.
    public var maximumLifetime: Duration

    /// Creates limits.
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
