import Locks
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
}
