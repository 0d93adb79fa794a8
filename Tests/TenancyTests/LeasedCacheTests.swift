import FoundationEssentials
import Locks
import Synchronization
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) final class LeasedCacheTests: Sendable {
    private let closed = Locked<[Int]>([])
    private let order = Locked<[String]>([])
    private let made = Locked(0)

    private func cache(
        _ capacity: Int,
        patience: Duration = .ample,
        waiters: Int = 100
    ) -> LeasedCache<String, Int> {
        LeasedCache(capacity: capacity, patience: patience, maximumWaiters: waiters) { value in
            self.closed.withLock { $0.append(value) }
        }
    }

    private func next() -> Int {
        made.withLock { number in
            number += 1
            return number
        }
    }

    @Test func `a value is created once and shared`() async throws {
        let cache = self.cache(2)
        let made = Locked(0)
        for _ in 0..<3 {
            let value = try await cache.withValue(
                "a",
                make: {
                    made.withLock {
                        $0 += 1; return $0
                    }
                }
            ) { $0 }
            #expect(value == 1)
        }
    }

    @Test func `the value that was unused for the longest time is closed to free its slot`() async throws {
        let cache = self.cache(2)
        for (key, value) in [("a", 1), ("b", 2), ("a", 1), ("c", 3)] {
            _ = try await cache.withValue(key, make: { value }) { $0 }
        }
        #expect(closed.withLock { $0 } == [2])
        #expect(cache.count == 2)
    }

    // The attack: a caller uses many workspaces at once to close a connection that another caller is using.
    @Test func `a value in use is never closed to free its slot`() async throws {
        let cache = self.cache(1, patience: .zero)
        try await cache.withValue("a", make: { 1 }) { _ in
            let error = await #expect(throws: TenancyError.self) {
                try await cache.withValue("b", make: { 2 }) { $0 }
            }
            #expect(error?.code == .capacityExceeded)
            #expect(closed.withLock { $0 }.isEmpty)
        }
        #expect(try await cache.withValue("b", make: { 2 }) { $0 } == 2)
    }

    // The attack: a caller keeps as many workspaces busy as there are slots, so that other calls fail.
    @Test func `a caller that finds all slots in use waits, first come first served`() async throws {
        let cache = self.cache(1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await cache.withValue("a", make: { 0 }) { _ in
                for (number, key) in ["b", "c", "d"].enumerated() {
                    group.addTask {
                        try await cache.withValue(key, make: { number + 1 }) { _ in
                            self.order.withLock { $0.append(key) }
                            // An existing value needs no slot, so it can be used while others wait.
                            _ = try await cache.withValue(key, make: { 99 }) { $0 }
                        }
                    }
                    try await eventually("\(key) waits") { cache.waitingCount == number + 1 }
                }
            }
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["b", "c", "d"])
        #expect(closed.withLock { $0 } == [0, 1, 2])
        #expect(cache.count == 1 && cache.waitingCount == 0)
    }

    @Test func `many users of few slots are all served`() async throws {
        let cache = self.cache(2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in 0..<90 {
                group.addTask {
                    try await cache.withValue("\(user % 5)", make: self.next) { _ in await Task.yield() }
                    if user % 10 == 0 { await cache.remove("\(user % 5)") }
                }
            }
            try await group.waitForAll()
        }
        #expect(cache.count <= 2 && cache.waitingCount == 0)
        await cache.shutdown()
        let closed = self.closed.withLock { $0.sorted() }
        #expect(closed == Array(1...self.made.withLock { $0 }), "each is closed once")
    }

    @Test func `a wait ends with its task, with the shutdown, and at once if too many wait`() async throws {
        let cache = self.cache(1, waiters: 2)
        try await cache.withValue("a", make: { 1 }) { _ in
            let cancelled = Task { try await cache.withValue("b", make: { 2 }) { $0 } }
            try await eventually("it waits") { cache.waitingCount == 1 }
            let stopped = Task { try await cache.withValue("c", make: { 3 }) { $0 } }
            try await eventually("both wait") { cache.waitingCount == 2 }
            let refused = await #expect(throws: TenancyError.self) {
                try await cache.withValue("d", make: { 4 }) { $0 }
            }
            #expect(refused?.code == .capacityExceeded)
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(cache.waitingCount == 1)
            await cache.shutdown()
            await #expect(throws: TenancyError.self) { try await stopped.value }
        }
        #expect(closed.withLock { $0 } == [1])
    }

    @Test func `a slot whose value is removed or cannot be created goes to a waiting caller`() async throws {
        struct Failure: Error {}
        let cache = self.cache(1)
        try await cache.withValue("a", make: { 1 }) { _ in
            let failing = Task { try await cache.withValue("b", make: { throw Failure() }) { $0 } }
            try await eventually("one waits") { cache.waitingCount == 1 }
            let lucky = Task { try await cache.withValue("c", make: { 3 }) { $0 } }
            try await eventually("two wait") { cache.waitingCount == 2 }
            await cache.remove("a")
            await #expect(throws: Failure.self) { try await failing.value }
            #expect(try await lucky.value == 3)
        }
        #expect(closed.withLock { $0 } == [1])
    }

    @Test func `a value that is removed while in use is closed by its last user, once`() async throws {
        let cache = self.cache(2)
        try await cache.withValue("a", make: { 1 }) { _ in
            try await cache.withValue("a", make: { 9 }) { _ in
                await cache.remove("a")
                await cache.remove("a")
                #expect(closed.withLock { $0 }.isEmpty)
            }
            #expect(closed.withLock { $0 }.isEmpty)
            #expect(try await cache.withValue("a", make: { 2 }) { $0 } == 2)
        }
        #expect(closed.withLock { $0 } == [1])
    }

    @Test func `a failure returns the slot, and so does a failed creation`() async throws {
        struct Failure: Error {}
        let cache = self.cache(1)
        await #expect(throws: Failure.self) { try await cache.withValue("a", make: { 1 }) { _ in throw Failure() } }
        await #expect(throws: Failure.self) { try await cache.withValue("b", make: { throw Failure() }) { $0 } }
        #expect(closed.withLock { $0 }.isEmpty)
        #expect(try await cache.withValue("b", make: { 2 }) { $0 } == 2)
        #expect(closed.withLock { $0 } == [1])
    }

    @Test func `a cache that was shut down lends nothing`() async throws {
        let cache = self.cache(2)
        _ = try await cache.withValue("a", make: { 1 }) { $0 }
        await cache.shutdown()
        #expect(closed.withLock { $0 } == [1])
        await #expect(throws: TenancyError.self) { try await cache.withValue("a", make: { 1 }) { $0 } }
    }

    // The attack: one organization uses a thousand workspaces, to close the connection of another that has one.
    @Test func `an owner with many values closes its own, and not the only one of another`() async throws {
        let (large, small) = (UUID(), UUID())
        let cache = self.cache(3)
        _ = try await cache.withValue("small", of: small, make: { 1 }) { $0 }
        for number in 2...50 { _ = try await cache.withValue("\(number)", of: large, make: { number }) { $0 } }
        #expect(try await cache.withValue("small", of: small, make: { 99 }) { $0 } == 1)
        #expect(cache.count == 3)
    }

    // The attack: a tenant keeps a connection of each of its workspaces busy without a pause, so that no slot becomes free for others.
    @Test func `an owner whose values are always in use leaves a slot to others`() async throws {
        let (large, small) = (UUID(), UUID())
        let cache = LeasedCache<String, Int>(capacity: 3, maximumShare: 2, patience: .ample, close: { _ in })
        try await cache.withValue("1", of: large, make: { 1 }) { _ in
            try await cache.withValue("2", of: large, make: { 2 }) { _ in
                let waiting = Task { try await cache.withValue("3", of: large, make: { 3 }) { $0 } }
                try await eventually("the third value waits for a slot") { cache.waitingCount == 1 }
                #expect(try await cache.withValue("s", of: small, make: { 9 }) { $0 } == 9)
                #expect(cache.waitingCount == 1)
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
            }
            // An idle value of its own makes room.
            let third = try await cache.withValue("3", of: large, make: { 3 }) { $0 }
            #expect(third == 3)
        }
        #expect(cache.count == 3)
    }

    @Test func `an owner without a value gets the slot that the largest owner has used least`() async throws {
        let (large, middle) = (UUID(), UUID())
        let cache = self.cache(4)
        // The middle owner's value was unused for longest.
        _ = try await cache.withValue("m", of: middle, make: { 1 }) { $0 }
        for number in 2...4 { _ = try await cache.withValue("\(number)", of: large, make: { number }) { $0 } }
        _ = try await cache.withValue("new", of: UUID(), make: { 5 }) { $0 }
        #expect(closed.withLock { $0 } == [2])
    }

    // Taking a slot from an owner that has only one more would be undone by its next call, and each costs a connection.
    @Test func `two owners do not take the same slot from each other in turns`() async throws {
        let (one, other) = (UUID(), UUID())
        let cache = self.cache(3)
        for (number, key) in ["a", "b"].enumerated() {
            _ = try await cache.withValue(key, of: one, make: { number }) { $0 }
        }
        for number in 10..<20 { _ = try await cache.withValue("\(number)", of: other, make: { number }) { $0 } }
        #expect(try await cache.withValue("a", of: one, make: { 99 }) { $0 } == 0)
        #expect(try await cache.withValue("b", of: one, make: { 99 }) { $0 } == 1)
    }

    @Test func `a free slot goes to the waiting owner that has fewest, although another has waited longer`()
        async throws
    {
        let (large, small) = (UUID(), UUID())
        let cache = self.cache(2)
        let isOver = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await cache.withValue("a1", of: large, make: { 1 }) { _ in for await _ in isOver.stream {} }
            }
            try await eventually("a1 is in use") { cache.count == 1 }
            try await cache.withValue("a2", of: large, make: { 2 }) { _ in
                for (number, (key, owner)) in [("a3", large), ("b1", small)].enumerated() {
                    group.addTask {
                        try await cache.withValue(key, of: owner, make: { number + 3 }) { _ in
                            self.order.withLock { $0.append(key) }
                        }
                    }
                    try await eventually("\(key) waits") { cache.waitingCount == number + 1 }
                }
            }
            try await eventually("the smaller owner is served") { !self.order.withLock { $0.isEmpty } }
            #expect(order.withLock { $0 } == ["b1"])
            isOver.continuation.finish()
            try await group.waitForAll()
        }
        #expect(order.withLock { $0 } == ["b1", "a3"])
    }

    // The attack: one organization asks for so many workspaces that no other can wait any more.
    @Test func `an owner with many waiting callers loses its last one for another owner`() async throws {
        let (large, small) = (UUID(), UUID())
        let cache = self.cache(1, waiters: 3)
        try await withThrowingTaskGroup(of: String?.self) { group in
            try await cache.withValue("a", of: large, make: { 0 }) { _ in
                for number in 1...3 {
                    group.addTask {
                        do {
                            _ = try await cache.withValue("a\(number)", of: large, make: { number }) { $0 }
                            return nil
                        } catch { return "a\(number)" }
                    }
                    try await eventually("it waits") { cache.waitingCount == number }
                }
                let refused = await #expect(throws: TenancyError.self) {
                    try await cache.withValue("a4", of: large, make: { 4 }) { $0 }
                }
                #expect(refused?.code == .capacityExceeded)
                group.addTask {
                    _ = try await cache.withValue("b", of: small, make: { 5 }) { $0 }
                    return nil
                }
                #expect(try await group.next() == "a3")
                try await eventually("the other owner waits") { cache.waitingCount == 3 }
            }
            while let late = try await group.next() { #expect(late == nil) }
        }
    }

    // MARK: Opening

    // The attack: batches over more workspaces than there are connections. Each look-up of a workspace opened a connection, and closed the
    // one that another look-up of a workspace had just opened.
    @Test func `callers that wait for the same value share one that is created once`() async throws {
        let cache = self.cache(1)
        try await withThrowingTaskGroup(of: Int.self) { group in
            try await cache.withValue("a", make: { 0 }) { _ in
                for number in 1...10 {
                    group.addTask { try await cache.withValue("b", make: self.next) { $0 } }
                    try await eventually("\(number) callers wait") { cache.waitingCount == number }
                }
            }
            for try await value in group { #expect(value == 1) }
        }
        #expect(made.withLock { $0 } == 1)
        #expect(closed.withLock { $0 } == [0])
        #expect(cache.count == 1 && cache.waitingCount == 0)
    }

    /// Returns a cache in which an owner opens few values at once.
    private static func cache(openings: Int, patience: Duration) -> LeasedCache<String, Int> {
        LeasedCache(
            capacity: 10,
            maximumOpenings: openings,
            openingPatience: patience,
            patience: .ample,
            close: { _ in }
        )
    }

    // The attack: one organization opens connections to all of its workspaces at once, which occupies the processors.
    @Test func `an owner opens a few values at once, and keeps no other owner waiting`() async throws {
        let (large, small) = (UUID(), UUID())
        let cache = Self.cache(openings: 2, patience: .ample)
        try await cache.withValue("1", of: large, make: { 1 }) { _ in
            let waiting = try await cache.withValue("2", of: large, make: { 2 }) { _ in
                let third = Task { try await cache.withValue("3", of: large, make: { 3 }) { $0 } }
                try await eventually("the third value waits for its turn") { cache.waitingCount == 1 }
                let other = try await cache.withValue("s", of: small, make: { 9 }) { $0 }
                #expect(other == 9)
                #expect(cache.waitingCount == 1)
                return third
            }
            // The second value is open, and the first one still is not.
            let third = try await waiting.value
            #expect(third == 3)
        }
        #expect(cache.count == 4)
    }

    // The attack: a database that lets nobody in and refuses nobody keeps the other workspaces of its organization closed.
    @Test func `a value that takes long to open lets the next one be opened`() async throws {
        let owner = UUID()
        let cache = Self.cache(openings: 1, patience: .zero)
        try await cache.withValue("1", of: owner, make: { 1 }) { _ in
            let second = try await cache.withValue("2", of: owner, make: { 2 }) { $0 }
            #expect(second == 2)
        }
    }

    @Test func `a failure to open a value, or to create one, ends its owner's turn`() async throws {
        struct Failure: Error {}
        let owner = UUID()
        let cache = Self.cache(openings: 1, patience: .ample)
        for key in ["1", "2"] {
            await #expect(throws: Failure.self) {
                try await cache.withValue(key, of: owner, make: { 1 }) { _ in throw Failure() }
            }
            await #expect(throws: Failure.self) {
                try await cache.withValue("broken", of: owner, make: { throw Failure() }) { $0 }
            }
        }
        let third = try await cache.withValue("3", of: owner, make: { 3 }) { $0 }
        #expect(third == 3)
    }

    /// Returns a cache of two values in which an owner pauses between two values that take the place of others.
    private static func cache(pause: Duration) -> LeasedCache<String, Int> {
        LeasedCache(capacity: 2, replacementPause: pause, patience: .ample, close: { _ in })
    }

    // The attack: batches over more workspaces than there are connections. Each opened hundreds of connections a second, without an end.
    @Test func `an owner pauses between two values that take the place of others, and keeps no other owner waiting`()
        async throws
    {
        let (large, small) = (UUID(), UUID())
        let cache = Self.cache(pause: .ample)
        _ = try await cache.withValue("s", of: small, make: { 0 }) { $0 }
        // A free slot, and the first value that takes the place of another, need no pause.
        for number in 1...2 { _ = try await cache.withValue("\(number)", of: large, make: { number }) { $0 } }
        let paused = Task { try await cache.withValue("3", of: large, make: { 3 }) { $0 } }
        try await eventually("the third value waits for the end of the pause") { cache.waitingCount == 1 }
        // What the owner has can be used.
        let second = try await cache.withValue("2", of: large, make: { 9 }) { $0 }
        #expect(second == 2)
        let other = try await cache.withValue("t", of: small, make: { 5 }) { $0 }
        #expect(other == 5)
        #expect(cache.waitingCount == 1)
        // A slot becomes free, for which nothing is closed.
        await cache.remove("2")
        let third = try await paused.value
        #expect(third == 3)
        await cache.shutdown()
    }

    @Test func `an owner that has all values does not pause`() async throws {
        let (cache, owner) = (Self.cache(pause: .ample), UUID())
        for number in 1...20 {
            let value = try await cache.withValue("\(number)", of: owner, make: { number }) { $0 }
            #expect(value == number)
        }
        await cache.shutdown()
    }

    // A short need for a few more values waits for nothing, and the credit for it does not grow without an end.
    @Test func `an owner replaces a few values without a pause after a time without replacements`() async throws {
        let clock = Locked(ContinuousClock.now)
        let cache = LeasedCache<String, Int>(
            capacity: 2,
            replacementPause: .seconds(100),
            replacementBurst: 3,
            patience: .ample,
            now: { clock.withLock { $0 } },
            close: { _ in }
        )
        let owner = UUID()
        _ = try await cache.withValue("s", of: UUID(), make: { 0 }) { $0 }
        _ = try await cache.withValue("first", of: owner, make: { 0 }) { $0 }
        for quiet in [0, 100_000] {
            clock.withLock { $0 += .seconds(quiet) }
            for number in 1...3 {
                let value = try await cache.withValue("\(quiet)-\(number)", of: owner, make: { number }) { $0 }
                #expect(value == number)
            }
            let paused = Task { try await cache.withValue("\(quiet)-4", of: owner, make: { 4 }) { $0 } }
            try await eventually("the fourth replacement waits") { cache.waitingCount == 1 }
            paused.cancel()
            await #expect(throws: CancellationError.self) { try await paused.value }
        }
        await cache.shutdown()
    }

    @Test func `callers that wait for the end of a pause are served then`() async throws {
        let cache = Self.cache(pause: .milliseconds(1))
        _ = try await cache.withValue("s", of: UUID(), make: { 0 }) { $0 }
        try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 1...20 {
                group.addTask { (number, try await cache.withValue("\(number)", make: { number }) { $0 }) }
            }
            for try await (number, value) in group { #expect(value == number) }
        }
        #expect(cache.count == 2 && cache.waitingCount == 0)
        await cache.shutdown()
    }

    @Test func `a key would replace a value if it has none and there is no free slot`() async throws {
        let cache = self.cache(2)
        #expect(!cache.wouldReplace("a"))
        for (number, key) in ["a", "b"].enumerated() {
            _ = try await cache.withValue(key, make: { number }) { $0 }
        }
        #expect(!cache.wouldReplace("a") && !cache.wouldReplace("b"))
        #expect(cache.wouldReplace("c"))
        await cache.remove("a")
        #expect(!cache.wouldReplace("c"))
    }

    // MARK: Refusals of the server

    private struct Refused: Error {}

    /// A server that opens a number of values, and refuses further ones when they are used.
    private final class Server: Sendable {
        let open = Locked<Set<Int>>([])
        let most = Locked(0)
        let room = Locked(2)

        func use(_ value: Int) throws {
            let isOpen = open.withLock { open in
                if open.count < room.withLock({ $0 }) { open.insert(value) }
                most.withLock { $0 = max($0, open.count) }
                return open.contains(value)
            }
            if !isOpen { throw Refused() }
        }
    }

    private func cache(
        _ capacity: Int,
        over server: Server,
        patience: Duration = .ample,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) -> LeasedCache<String, Int> {
        LeasedCache(capacity: capacity, patience: patience, isRefusal: { $0 is Refused }, now: now) { value in
            server.open.withLock { _ = $0.remove(value) }
        }
    }

    // Six of 36 workspaces were never answered while connections of others idled.
    @Test func `a value that the server refuses takes the slot that was unused for longest`() async throws {
        let server = Server()
        let later = Atomic(false)
        let start = ContinuousClock.now
        let cache = self.cache(10, over: server) {
            later.load(ordering: .relaxed) ? start + .seconds(60) : start
        }
        for round in 1...3 {
            for key in ["a", "b", "c", "d"] {
                try await cache.withValue(key, of: UUID(), make: self.next) { try server.use($0) }
            }
            #expect(cache.limit == 2, "round \(round)")
        }
        #expect(server.most.withLock { $0 } == 2)
        // Later the server may have room again.
        server.room.withLock { $0 = 4 }
        later.store(true, ordering: .relaxed)
        #expect(cache.limit == 10)
        for key in ["a", "b", "c", "d"] {
            try await cache.withValue(key, make: self.next) { try server.use($0) }
        }
        #expect(cache.count == 4)
    }

    @Test func `a value for which the server never has room is refused with the server's error`() async throws {
        let server = Server()
        server.room.withLock { $0 = 0 }
        let cache = self.cache(10, over: server, patience: .zero)
        await #expect(throws: Refused.self) {
            try await cache.withValue("a", make: self.next) { try server.use($0) }
        }
    }

    @Test func `room for something else is made of the value that was unused for longest, unless all are in use`()
        async throws
    {
        let cache = self.cache(10)
        for (number, key) in ["a", "b", "c"].enumerated() {
            _ = try await cache.withValue(key, make: { number }) { $0 }
        }
        #expect(await cache.makeRoom())
        #expect(closed.withLock { $0 } == [0])
        #expect(cache.limit == 2)
        try await cache.withValue("b", make: { 9 }) { _ in
            try await cache.withValue("c", make: { 9 }) { _ in #expect(await !cache.makeRoom()) }
        }
    }

    @Test func `there are never more open values than slots, whoever asks`() async throws {
        let server = Server()
        server.room.withLock { $0 = 100 }
        let cache = self.cache(3, over: server)
        let owners = (0..<4).map { _ in UUID() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for user in 0..<400 {
                group.addTask {
                    let key = user % 16
                    try await cache.withValue("\(key)", of: owners[key % 4], make: self.next) { value in
                        try server.use(value)
                        await Task.yield()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(server.most.withLock { $0 } == 3)
        #expect(cache.count <= 3 && cache.waitingCount == 0)
    }

    // MARK: Unused values

    @Test func `a value that nobody has used since the last look is closed`() async throws {
        let cache = self.cache(10)
        _ = try await cache.withValue("a", make: { 1 }) { $0 }
        _ = try await cache.withValue("b", make: { 2 }) { $0 }
        await cache.closeUnused()
        #expect(closed.withLock { $0 }.isEmpty)
        try await cache.withValue("b", make: { 9 }) { _ in
            await cache.closeUnused()
            #expect(closed.withLock { $0 } == [1])
            await cache.closeUnused()
            #expect(closed.withLock { $0 } == [1], "a value in use stays")
        }
        #expect(try await cache.withValue("a", make: { 3 }) { $0 } == 3)
    }

    @Test func `a smaller capacity closes the values that were unused for longest`() async throws {
        let cache = self.cache(3)
        for (number, key) in ["a", "b", "c"].enumerated() {
            _ = try await cache.withValue(key, make: { number }) { $0 }
        }
        await cache.setCapacity(1)
        #expect(closed.withLock { $0 } == [0, 1])
        #expect(cache.limit == 1)
    }
}
