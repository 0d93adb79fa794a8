import Postgres
import TestSupport
import Testing

/// What becomes of callers that wait while connections cannot be opened, without a connection.
@Suite(.hangLimit) struct PoolRecoveryTests {
    private let start = ContinuousClock.now
    private let options = PostgresPoolOptions(maximumConnections: 2, maximumWaiters: 9, leaseDeadline: .seconds(5))
    private let down = PostgresError(.connectFailed, "down")

    @Test func `a place that a failed attempt left free goes to who waits longest, once the pause is over`() {
        var pool = PoolState<Int, String>(options: options)
        for caller in ["a", "b", "c", "d"] { _ = pool.lease(caller, at: start) }
        #expect(pool.failedToOpen(down, at: start).openFor.isEmpty)
        #expect(pool.tick(at: start, isUsable: { _ in true }).openFor.isEmpty)
        let later = start + .seconds(3)
        let isWaiting = if case .wait = pool.lease("e", at: later) { true } else { false }
        #expect(isWaiting, "a newcomer must not take the place of those who wait")
        #expect(pool.tick(at: later, isUsable: { _ in true }).openFor == ["c"])
        #expect(pool.count == 2)
    }
}
