import Postgres
import Synchronization
import Testing

@testable import Verification

@Suite final class BatchTests: Sendable {
    private let wasServed = Atomic(false)

    // The attack: batches of 100 tokens, which kept the requests of all other tenants waiting until the last token was looked at.
    @Test func `other requests of the thread have their turn after every few tokens of a batch`() async throws {
        let reactor = try Reactor(name: "requests")
        let seen = await withTaskExecutorPreference(reactor) {
            // Behind this task in the queue of the thread.
            let other = Task(executorPreference: reactor) { self.wasServed.store(true, ordering: .relaxed) }
            var seen: [Bool] = []
            for index in 0..<10 {
                await Verifier.letOthersRun(before: index)
                seen.append(self.wasServed.load(ordering: .relaxed))
            }
            await other.value
            return seen
        }
        #expect(seen == Array(repeating: false, count: 8) + [true, true])
        await reactor.shutdown()
    }
}
