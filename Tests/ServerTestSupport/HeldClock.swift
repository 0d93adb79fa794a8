/// A clock with one wait, which the test ends.
package final class HeldClock: Clock {
    package typealias Instant = ContinuousClock.Instant

    private let (waits, end) = AsyncStream<Never>.makeStream()

    package init() {}

    package var now: Instant { ContinuousClock.now }
    package var minimumResolution: Duration { .zero }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        for await _ in waits {}
        try Task.checkCancellation()
    }

    /// Ends the wait.
    package func letGo() { end.finish() }
}
