/// A common deadline for all that a task asks of PostgreSQL.
///
/// A use case can wait several times: for a connection, for a lock, for COMMIT. Each wait has a limit of its own, and their sum is longer
/// than anybody should wait. Within ``with(_:_:)``, no wait lasts longer than the rest of the common time.
///
/// ```swift
/// try await PostgresDeadline.with(.seconds(2)) {
///     try await pool.transaction { try await $0.query(statement, [id]) }
/// }
/// ```
///
/// COMMIT is not written after the deadline. ROLLBACK has its own limit. The connection of a ``PostgresPipeline`` is opened for all of its
/// callers, so the deadline ends a caller's wait for it and not the attempt to connect.
public enum PostgresDeadline {
    @TaskLocal static var current: MonotonicInstant?

    /// Runs `body` with a common deadline.
    ///
    /// Within another common deadline, the earlier one counts.
    ///
    /// - Parameters:
    ///   - limit: The maximum time.
    ///   - body: The work. Statements that wait when the time is over throw `deadlineExceeded`.
    /// - Returns: The value that `body` returns.
    /// - Throws: The error of `body`.
    public static func with<Value>(
        _ limit: Duration,
        _ body: () async throws -> Value
    ) async rethrows -> Value {
        let instant = instant(after: limit)
        return try await $current.withValue(instant, operation: body)
    }

    /// The rest of the common time, which is not negative; `nil` without a common deadline.
    public static var remaining: Duration? {
        current.map { max(.zero, $0 - .now) }
    }

    /// Returns the instant after a wait's own limit, or the common deadline if that is earlier.
    static func instant(after limit: Duration) -> MonotonicInstant {
        let own = MonotonicInstant.now + limit
        guard let current else { return own }
        return min(own, current)
    }

    /// Returns a wait's own limit, or the rest of the common time if that is shorter.
    package static func limit(_ limit: Duration) -> Duration {
        guard let remaining else { return limit }
        return min(limit, remaining)
    }

    /// Throws if the common deadline has passed.
    static func check() throws(PostgresError) {
        guard let current, current <= .now else { return }
        throw PostgresError(.deadlineExceeded, "the deadline passed")
    }
}
