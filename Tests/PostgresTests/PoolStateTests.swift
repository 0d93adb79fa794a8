import Postgres
import Testing

/// The rules of `PoolState`, without a server: numbers stand for connections, and letters for callers.
@Suite struct PoolStateTests {
    private let start = MonotonicInstant.now
    private let options = PostgresPoolOptions(
        maximumConnections: 2,
        maximumWaiters: 2,
        leaseDeadline: .seconds(5),
        idleLifetime: .seconds(60),
        maximumLifetime: .seconds(600)
    )

    private func pool() -> PoolState<Int, String> { PoolState(options: options) }

    private func name(_ lease: PoolState<Int, String>.Lease) -> String {
        switch lease {
        case .use(let connection): "use \(connection)"
        case .open: "open"
        case .wait: "wait"
        case .refuse(let error): "refuse \(error.code)"
        }
    }

    @Test func `neither connections nor waiting callers exceed their limits`() {
        var pool = self.pool()
        let leases = ["a", "b", "c", "d", "e"].map { name(pool.lease($0, at: start)) }
        #expect(leases == ["open", "open", "wait", "wait", "refuse queueFull"])
    }

    @Test func `callers are served in the order of their arrival: a newcomer does not overtake`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        let actions = pool.release(1, openedAt: start, isReusable: true, at: start)
        #expect(actions.hand.map(\.0) == ["c"])
        #expect(name(pool.lease("d", at: start)) == "wait")
    }

    @Test func `the slot of a broken connection goes to the next caller, which opens a new connection`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        let actions = pool.release(1, openedAt: start, isReusable: false, at: start)
        #expect(actions.openFor == ["c"])
        #expect(actions.close == [1])
        #expect(pool.count == 2)
    }

    @Test func `if no connection can be opened, no caller keeps waiting, and newcomers fail at once`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        let down = PostgresError(.connectFailed, "down")
        #expect(pool.failedToOpen(down, at: start).refuse.isEmpty)
        #expect(pool.failedToOpen(down, at: start).refuse.map(\.0) == ["c"])
        #expect(name(pool.lease("d", at: start)) == "refuse connectFailed")
        #expect(name(pool.lease("e", at: start + .seconds(3))) == "open")
    }

    @Test func `a cancelled attempt to connect causes no pause for other callers`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        let actions = pool.failedToOpen(PostgresError(.cancelled, "gone"), at: start)
        #expect(actions.openFor == ["c"])
    }

    @Test func `a caller that waited too long is refused`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        #expect(pool.tick(at: start + .seconds(4), isUsable: { _ in true }).refuse.isEmpty)
        let refused = pool.tick(at: start + .seconds(5), isUsable: { _ in true }).refuse
        #expect(refused.map(\.0) == ["c"])
        #expect(refused.map(\.1.code) == [.poolTimedOut])
    }

    @Test func `idle connections are closed when they are old, unused or broken`() {
        var pool = self.pool()
        _ = pool.lease("a", at: start)
        _ = pool.release(1, openedAt: start, isReusable: true, at: start)
        #expect(pool.tick(at: start + .seconds(59), isUsable: { _ in true }).close.isEmpty)
        #expect(pool.tick(at: start + .seconds(60), isUsable: { _ in true }).close == [1])
        _ = pool.lease("a", at: start)
        _ = pool.release(2, openedAt: start, isReusable: true, at: start)
        #expect(pool.tick(at: start, isUsable: { _ in false }).close == [2])
        _ = pool.lease("a", at: start)
        let late = start + .seconds(600)
        #expect(pool.release(3, openedAt: start, isReusable: true, at: late).close == [3])
        #expect(pool.count == 0)
    }

    @Test func `after shutdown no caller gets a connection, and every connection is closed`() {
        var pool = self.pool()
        for caller in ["a", "b", "c"] { _ = pool.lease(caller, at: start) }
        _ = pool.giveUp("c")
        _ = pool.release(1, openedAt: start, isReusable: true, at: start)
        #expect(pool.shutDown().close == [1])
        #expect(pool.release(2, openedAt: start, isReusable: true, at: start).close == [2])
        #expect(name(pool.lease("d", at: start)) == "refuse closed")
        #expect(pool.count == 0)
    }

    @Test func `the pause after failures doubles up to its bound, and a success ends it`() {
        var backoff = Backoff()
        let error = PostgresError(.connectFailed, "down")
        var now = start
        var pauses: [Duration] = []
        for _ in 0..<8 {
            backoff.failed(error, at: now, part: 1)
            var pause = Duration.zero
            while backoff.refusal(at: now + pause) != nil { pause += .milliseconds(50) }
            pauses.append(pause)
            now += pause
        }
        #expect(pauses.map { $0 / .milliseconds(50) } == [1, 2, 4, 8, 16, 16, 16, 16])
        backoff.failed(error, at: now)
        backoff.succeeded()
        #expect(backoff.refusal(at: now) == nil)
    }

    @Test func `the statistics count waits, timeouts and attempts to connect`() {
        var pool = self.pool()
        for caller in ["a", "b", "c", "d", "e"] { _ = pool.lease(caller, at: start) }
        _ = pool.failedToOpen(PostgresError(.cancelled, "gone"), at: start)
        _ = pool.failedToOpen(PostgresError(.connectFailed, "down"), at: start)
        _ = pool.tick(at: start + .seconds(5), isUsable: { _ in true })
        let statistics = pool.statistics
        #expect(statistics.waits == 2)
        #expect(statistics.timeouts == 1)
        #expect(statistics.connectionAttempts == 3)
        #expect(statistics.failedAttempts == 1)
    }
}
