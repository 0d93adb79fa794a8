import Locks
import Testing

@testable import TestSupport

/// The queue for what tests have few of.
@Suite struct SemaphoreTests {
    /// Counts the callers that hold a slot.
    private final class Counts: Sendable {
        private let counts = Locked((running: 0, most: 0, done: 0))

        var most: Int { counts.withLock(\.most) }
        var done: Int { counts.withLock(\.done) }

        func begin() { counts.withLock { $0 = ($0.running + 1, max($0.most, $0.running + 1), $0.done) } }
        func end() { counts.withLock { $0 = ($0.running - 1, $0.most, $0.done + 1) } }
    }

    @Test func `no more callers run than there are slots, and all get one`() async {
        let semaphore = Semaphore(slots: 3, for: "a test")
        let counts = Counts()
        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    await semaphore.withSlot {
                        counts.begin()
                        for _ in 0..<5 { await Task.yield() }
                        counts.end()
                    }
                }
            }
        }
        #expect(counts.most <= 3)
        #expect(counts.done == 200)
    }

    @Test func `a body that throws gives its slot back`() async throws {
        let semaphore = Semaphore(slots: 1, for: "a test")
        for _ in 0..<3 {
            await #expect(throws: NeverHappened.self) {
                try await semaphore.withSlot { throw NeverHappened(what: "this") }
            }
        }
        #expect(await semaphore.withSlot { 7 } == 7)
    }
}
