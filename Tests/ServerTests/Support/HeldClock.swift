/// A clock on which one wait lasts until the test lets it go.
final class HeldClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let (waits, end) = AsyncStream<Never>.makeStream()

    var now: Instant { ContinuousClock.now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        for await _ in waits {}
        try Task.checkCancellation()
    }

    /// Ends the wait.
    func letGo() { end.finish() }
}
