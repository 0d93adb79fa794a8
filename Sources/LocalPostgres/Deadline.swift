/// A point in time until which to wait for something outside this process.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    init(after duration: Duration) {
        instant = .now + duration
    }

    /// What is left, never negative.
    var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }

    /// Waits a little before the caller looks again, or throws when the time is up: "gave up waiting …".
    func pause(_ purpose: String) async throws {
        guard remaining > .zero else { throw LocalPostgresError(.timedOut, "gave up waiting \(purpose)") }
        try await Task.sleep(for: min(.milliseconds(20), remaining))
    }
}
