/// How long to leave a server alone that cannot be reached: a pure rule.
///
/// Doubling from 50 ms to 2 s. Between attempts callers fail at once with the last reason instead of queueing up behind a dead server;
/// after the pause one caller tries, and the others wait for the outcome of that attempt.
package struct Backoff: Sendable {
    private var failures = 0
    private var until: ContinuousClock.Instant?
    private(set) var lastError: PostgresError?

    package init() {}

    static let shortest = Duration.milliseconds(50)
    static let longest = Duration.seconds(2)

    /// The error to fail with at once, while the pause lasts.
    package func refusal(at now: ContinuousClock.Instant) -> PostgresError? {
        guard let until, now < until else { return nil }
        return lastError
    }

    package mutating func succeeded() {
        failures = 0
        until = nil
        lastError = nil
    }

    package mutating func failed(_ error: PostgresError, at now: ContinuousClock.Instant) {
        let pause = min(Self.longest, Self.shortest * (1 << min(failures, 10)))
        failures += 1
        until = now + pause
        lastError = error
    }
}
