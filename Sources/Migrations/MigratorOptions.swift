/// How patient a migration is.
public struct MigratorOptions: Sendable {
    /// How long to wait for another session that migrates the same database.
    ///
    /// Default 30 s.
    public var lockPatience: Duration
    /// How long a statement of a file waits for each lock before it fails (`lock_timeout`).
    ///
    /// Default 5 s.
    ///
    /// While DDL waits for its lock, every later reader queues behind it, so this bounds the pause that a migration can cause. Files
    /// that run outside a transaction build things concurrently and wait without it.
    public var lockTimeout: Duration
    /// How long a file may take (`statement_timeout`, and the deadline on this side).
    ///
    /// Default 10 min.
    public var fileDeadline: Duration

    /// Sets the three.
    public init(
        lockPatience: Duration = .seconds(30),
        lockTimeout: Duration = .seconds(5),
        fileDeadline: Duration = .seconds(600)
    ) {
        self.lockPatience = lockPatience
        self.lockTimeout = lockTimeout
        self.fileDeadline = fileDeadline
    }
}

extension Duration {
    /// Whole milliseconds, at least 1: PostgreSQL takes 0 for "no limit".
    var timeoutMilliseconds: Int64 {
        max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
