/// The databases to which the last write failed, and the time of the next attempt.
struct UsageRetries {
    private struct Failure {
        var attempts = 0
        var next: ContinuousClock.Instant
    }

    /// The longest time between two attempts.
    private static let longestPause = 60
    /// The longest time between two attempts while another session holds a lock, such as the flush of another node.
    private static let longestPauseOfLocks = 2

    private var failures: [UsageRecorder.Database: Failure] = [:]

    /// Returns true if a database can be written to.
    func isDue(_ database: UsageRecorder.Database, at now: ContinuousClock.Instant) -> Bool {
        failures[database].map { $0.next <= now } ?? true
    }

    /// Notes a failed write.
    ///
    /// The next flush tries again, because another node's flush can have held the locks. After that the pauses are 2, 4, 8 … 60 s.
    ///
    /// - Parameters:
    ///   - database: The database.
    ///   - now: The present time.
    ///   - isLocked: True if a lock was not granted in time.
    /// - Returns: True if the write before it did not fail.
    mutating func failed(
        _ database: UsageRecorder.Database,
        at now: ContinuousClock.Instant,
        isLocked: Bool
    ) -> Bool {
        var failure = failures[database] ?? Failure(next: now)
        failure.attempts += 1
        let longest = isLocked ? Self.longestPauseOfLocks : Self.longestPause
        let pause = failure.attempts == 1 ? 0 : min(1 << min(failure.attempts - 1, 10), longest)
        failure.next = now + .seconds(pause)
        failures[database] = failure
        return failure.attempts == 1
    }

    /// Notes a write that did not fail.
    mutating func worked(_ database: UsageRecorder.Database) { failures[database] = nil }
}
