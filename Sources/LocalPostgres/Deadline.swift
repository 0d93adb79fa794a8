/// The end of a wait for something outside this process.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    init(after duration: Duration) {
        instant = .now + duration
    }

    /// The time that is left, never negative.
    var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    /// Waits up to 20 ms before the caller looks again.
    ///
    /// - Parameter purpose: The end of the message "timed out while waiting …".
    /// - Throws: ``LocalPostgresError`` (`timedOut`) if no time is left, or `CancellationError`.
    func pause(_ purpose: String) async throws {
        guard remaining > .zero else { throw LocalPostgresError(.timedOut, "timed out while waiting \(purpose)") }
        try await Task.sleep(for: min(.milliseconds(20), remaining))
    }
}
