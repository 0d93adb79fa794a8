import Synchronization
import Tenancy
import Testing

@Suite final class LeasedCacheTests: Sendable {
    private let closed = Mutex<[Int]>([])

    private func cache(_ capacity: Int) -> LeasedCache<String, Int> {
        LeasedCache(capacity: capacity) { value in self.closed.withLock { $0.append(value) } }
    }

    @Test func `a thing is made once and shared`() async throws {
        let cache = self.cache(2)
        let made = Mutex(0)
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

    @Test func `the one unused for longest makes room`() async throws {
        let cache = self.cache(2)
        for (key, value) in [("a", 1), ("b", 2), ("a", 1), ("c", 3)] {
            _ = try await cache.withValue(key, make: { value }) { $0 }
        }
        #expect(self.closed.withLock { $0 } == [2])
        #expect(cache.count == 2)
    }

    // Attack: use many workspaces at once to take a connection away from somebody in the middle of a change.
    @Test func `what is in use is never closed to make room`() async throws {
        let cache = self.cache(1)
        try await cache.withValue("a", make: { 1 }) { _ in
            let error = await #expect(throws: TenancyError.self) {
                try await cache.withValue("b", make: { 2 }) { $0 }
            }
            #expect(error?.code == .capacityExceeded)
            #expect(self.closed.withLock { $0 }.isEmpty)
        }
        #expect(try await cache.withValue("b", make: { 2 }) { $0 } == 2)
    }

    @Test func `what is removed while in use is closed by its last user, once`() async throws {
        let cache = self.cache(2)
        try await cache.withValue("a", make: { 1 }) { _ in
            try await cache.withValue("a", make: { 9 }) { _ in
                await cache.remove("a")
                await cache.remove("a")
                #expect(self.closed.withLock { $0 }.isEmpty)
            }
            #expect(self.closed.withLock { $0 }.isEmpty)
            #expect(try await cache.withValue("a", make: { 2 }) { $0 } == 2)
        }
        #expect(self.closed.withLock { $0 } == [1])
    }

    @Test func `a failure gives the place back, also one of making`() async throws {
        struct Failure: Error {}
        let cache = self.cache(1)
        await #expect(throws: Failure.self) { try await cache.withValue("a", make: { 1 }) { _ in throw Failure() } }
        await #expect(throws: Failure.self) { try await cache.withValue("b", make: { throw Failure() }) { $0 } }
        #expect(self.closed.withLock { $0 }.isEmpty)
        #expect(try await cache.withValue("b", make: { 2 }) { $0 } == 2)
        #expect(self.closed.withLock { $0 } == [1])
    }

    @Test func `nothing is lent after a shutdown`() async throws {
        let cache = self.cache(2)
        _ = try await cache.withValue("a", make: { 1 }) { $0 }
        await cache.shutdown()
        #expect(self.closed.withLock { $0 } == [1])
        await #expect(throws: TenancyError.self) { try await cache.withValue("a", make: { 1 }) { $0 } }
    }
}
