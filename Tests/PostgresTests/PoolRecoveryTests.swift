import Postgres
import TestSupport
import Testing

/// Callers that wait while no connection can be opened, without a server.
@Suite(.hangLimit) struct PoolRecoveryTests {
    private let start = MonotonicInstant.now
    private let options = PostgresPoolOptions(maximumConnections: 2, maximumWaiters: 9, leaseDeadline: .seconds(5))
    private let down = PostgresError(.connectFailed, "down")

    @Test func `the slot of a failed attempt goes to the longest waiting caller after the pause`() {
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
