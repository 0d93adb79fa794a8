import FoundationEssentials
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

    private let large = UUID()
    private let small = UUID()

    private func pool(maximumWaiters: Int = 2) -> PoolState<Int, String> {
        var options = options
        options.maximumWaiters = maximumWaiters
        return PoolState(options: options)
    }

    /// Returns the callers that wait, in the order in which they are served.
    private func order(of pool: PoolState<Int, String>) -> [String] {
        var pool = pool
        return (0..<pool.waitingCount)
            .flatMap { _ in pool.release(0, openedAt: start, isReusable: true, at: start).hand.map(\.0) }
    }

    private func name(_ lease: PoolState<Int, String>.Lease) -> String {
        switch lease {
        case .use(let connection): "use \(connection)"
        case .open: "open"
        case .wait(nil): "wait"
        case .wait((let other, let error)?): "wait, refuse \(other) \(error.code)"
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

    // The attack: one tenant asks hundreds of times at once, and all others wait behind it.
    @Test func `owners take turns: one with many waiting callers keeps no other waiting behind them`() {
        var pool = self.pool(maximumWaiters: 8)
        for caller in ["a", "b"] { _ = pool.lease(caller, at: start, of: large) }
        for caller in ["l1", "l2", "l3", "l4"] { _ = pool.lease(caller, at: start, of: large) }
        for caller in ["s1", "s2"] { _ = pool.lease(caller, at: start, of: small) }
        _ = pool.lease("n1", at: start)
        #expect(order(of: pool) == ["l1", "s1", "n1", "l2", "s2", "l3", "l4"])
    }

    // Otherwise an owner that always has one caller more would be served before one that has many.
    @Test func `an owner that was served and asks again has its turn after those that wait`() {
        var pool = self.pool(maximumWaiters: 8)
        for caller in ["a", "b"] { _ = pool.lease(caller, at: start) }
        for caller in ["l1", "l2", "l3"] { _ = pool.lease(caller, at: start, of: large) }
        _ = pool.lease("s1", at: start, of: small)
        var served: [String] = []
        for number in 2...3 {
            for _ in 0..<2 {
                served += pool.release(0, openedAt: start, isReusable: true, at: start).hand.map(\.0)
            }
            _ = pool.lease("s\(number)", at: start, of: small)
        }
        #expect(served == ["l1", "s1", "l2", "s2"])
    }

    @Test func `callers that give up or wait too long cost their owner no turn`() {
        var pool = self.pool(maximumWaiters: 8)
        for caller in ["a", "b"] { _ = pool.lease(caller, at: start) }
        for caller in ["l1", "l2", "l3", "l4"] {
            let end = caller == "l2" ? start + .seconds(1) : nil
            _ = pool.lease(caller, at: start, until: end, of: large)
        }
        for caller in ["s1", "s2"] { _ = pool.lease(caller, at: start, of: small) }
        let hasLeft = pool.giveUp("l1")
        #expect(hasLeft)
        let refused = pool.tick(at: start + .seconds(1), isUsable: { _ in true }).refuse
        #expect(refused.map(\.0) == ["l2"])
        #expect(order(of: pool) == ["l3", "s1", "l4", "s2"])
    }

    // The attack: one tenant asks so often that no other can wait any more.
    @Test func `in a full queue the last caller of the owner with the most leaves for an owner with fewer`() {
        var pool = self.pool(maximumWaiters: 3)
        for caller in ["a", "b", "l1", "l2", "l3"] { _ = pool.lease(caller, at: start, of: large) }
        #expect(name(pool.lease("l4", at: start, of: large)) == "refuse queueFull")
        #expect(name(pool.lease("s1", at: start, of: small)) == "wait, refuse l3 queueFull")
        #expect(pool.waitingCount == 3)
        #expect(order(of: pool) == ["l1", "s1", "l2"])
    }

    @Test func `a caller that finds a connection is not asked for its owner`() {
        var pool = self.pool()
        var questions = 0
        func owner() -> UUID {
            questions += 1
            return large
        }
        _ = pool.lease("a", at: start, of: owner())
        _ = pool.release(1, openedAt: start, isReusable: true, at: start)
        #expect(name(pool.lease("b", at: start, of: owner())) == "use 1")
        #expect(questions == 0)
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

    // The rest of a second is left for the connection itself and for the first statement.
    @Test func `a server that is back is tried within 0.8 s, however long it was away`() {
        var backoff = Backoff()
        for _ in 0..<1000 { backoff.failed(PostgresError(.connectFailed, "down"), at: start, part: 1) }
        #expect(backoff.refusal(at: start + .milliseconds(800)) == nil)
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
