/// The time limits of a migration.
public struct MigratorOptions: Sendable {
    /// The maximum wait for another session that migrates the same database.
    ///
    /// Defaults to 30 seconds.
    public var lockPatience: Duration
    /// The maximum wait of a statement for each lock, `lock_timeout`.
    ///
    /// Defaults to 5 seconds. While DDL waits for a lock, every later reader of the table waits behind it. So this limits the pause that a
    /// migration can cause. Files that run outside a transaction build indexes concurrently, and have no such limit.
    public var lockTimeout: Duration
    /// The maximum time of a file, `statement_timeout` on the server and a deadline in this program.
    ///
    /// Defaults to 10 minutes.
    public var fileDeadline: Duration

    /// Creates options.
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
