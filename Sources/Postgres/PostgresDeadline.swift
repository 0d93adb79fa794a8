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
/// At the deadline a statement is cancelled on the server, and a server that does not obey within a quarter of a second loses the
/// connection. COMMIT is not written after the deadline, and ROLLBACK has a quarter of a second in any case. The connection of a
/// ``PostgresPipeline`` is opened for all of its callers, so the deadline ends a caller's wait for it and not the attempt to connect.
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
        let instant = MonotonicInstant.now + limit
        // A deadline that changes nothing needs no task-local value.
        if let current, current <= instant { return try await body() }
        return try await $current.withValue(instant, operation: body)
    }

    /// Runs `body` without a common deadline, for work that goes on after its first caller has left.
    ///
    /// A task that `body` starts inherits no deadline.
    package static func without<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = $current.withValue(nil) {
            do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
        }
        return try outcome.get()
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
