import Testing

@testable import TestSupport

/// The rules for tests that hang, without a clock.
@Suite struct HangWatchTests {
    private var watch = HangWatch(patience: .seconds(120))

    /// Advances in small steps, as the driver does, until something is to be done.
    private mutating func advance(by time: Duration) -> [HangWatch.Action] {
        for _ in 0..<(time.components.seconds * 4) {
            let actions = watch.advance(by: .milliseconds(250))
            if !actions.isEmpty { return actions }
        }
        return []
    }

    @Test mutating func `a test is cancelled once, when its limit has passed, and the report names what it waited for`()
    {
        let test = watch.begin("hangs()", limit: .seconds(60))
        let past = watch.beginWait(for: "the server listens", isInQueue: false, in: test)
        #expect(advance(by: .seconds(20)) == [])
        watch.endWait(past, in: test)
        _ = watch.beginWait(for: "the key expires", isInQueue: false, in: test)
        #expect(advance(by: .seconds(40)) == [])
        #expect(advance(by: .seconds(1)) == [.cancel(test)])
        #expect(advance(by: .seconds(100)) == [])
        #expect(watch.end(test) == "used up its 60 s of machine time, waiting for \"the key expires\" (for 40 s)")
    }

    @Test mutating func `a test that ends in time has no report`() {
        let test = watch.begin("works()", limit: .seconds(60))
        #expect(advance(by: .seconds(59)) == [])
        #expect(watch.end(test) == nil)
        #expect(advance(by: .seconds(600)) == [])
    }

    @Test mutating func `a test that hangs in its own code is reported as such`() {
        let test = watch.begin("loops()", limit: .seconds(1))
        #expect(advance(by: .seconds(2)) == [.cancel(test)])
        #expect(
            watch.end(test) == "used up its 1 s of machine time, waiting for nothing that the test support knows of"
        )
    }

    @Test mutating func `the time in a queue does not count`() {
        let holder = watch.begin("holds()", limit: .seconds(10_000))
        let test = watch.begin("waits()", limit: .seconds(60))
        #expect(advance(by: .seconds(30)) == [])
        let queue = watch.beginWait(for: "a database", isInQueue: true, in: test)
        #expect(advance(by: .seconds(5_000)) == [])
        watch.endWait(queue, in: test)
        #expect(advance(by: .seconds(30)) == [])
        #expect(advance(by: .seconds(1)) == [.cancel(test)])
        #expect(watch.end(holder) == nil)
    }

    @Test mutating func `each test has its own time`() {
        let first = watch.begin("first()", limit: .seconds(60))
        #expect(advance(by: .seconds(40)) == [])
        let second = watch.begin("second()", limit: .seconds(60))
        #expect(advance(by: .seconds(30)) == [.cancel(first)])
        #expect(watch.end(first) != nil)
        #expect(advance(by: .seconds(30)) == [])
        #expect(watch.end(second) == nil)
    }

    @Test mutating func `an inner limit replaces the outer one`() {
        let test = watch.begin("takes long()", limit: .seconds(60))
        watch.setLimit(.seconds(600), of: test)
        #expect(advance(by: .seconds(600)) == [])
        #expect(advance(by: .seconds(1)) == [.cancel(test)])
    }

    @Test mutating func `a test that ignores its cancellation ends the process, which says why`() throws {
        let test = watch.begin("never ends()", limit: .seconds(60))
        #expect(advance(by: .seconds(61)) == [.cancel(test)])
        _ = watch.beginWait(for: "the server drains", isInQueue: false, in: test)
        #expect(advance(by: watch.patience - .seconds(1)) == [])
        let actions = advance(by: .seconds(2))
        guard case .exit(let message) = try #require(actions.first) else { return #expect(actions == []) }
        #expect(message.hasPrefix("never ends() used up its 60 s of machine time, waiting for nothing"))
        #expect(message.hasSuffix("did not end within 120 s more, waiting for \"the server drains\" (for 120 s)."))
    }

    @Test mutating func `tests that wait for each other in queues end the process`() throws {
        let (first, second) = (
            watch.begin("first()", limit: .seconds(60)), watch.begin("second()", limit: .seconds(60))
        )
        _ = watch.beginWait(for: "a database", isInQueue: true, in: first)
        #expect(advance(by: .seconds(50)) == [])
        _ = watch.beginWait(for: "a server", isInQueue: true, in: second)
        #expect(advance(by: watch.patience) == [])
        let actions = advance(by: .seconds(1))
        let message =
            "All tests wait for each other: first() waits for a database in a queue. second() waits for a server in a queue."
        #expect(actions == [.exit(message)])
    }

    @Test mutating func `queues that move are no standstill`() {
        let test = watch.begin("waits()", limit: .seconds(60))
        for _ in 0..<20 {
            let queue = watch.beginWait(for: "a database", isInQueue: true, in: test)
            #expect(advance(by: watch.patience - .seconds(1)) == [])
            watch.endWait(queue, in: test)
            #expect(advance(by: .seconds(1)) == [])
        }
    }
}
