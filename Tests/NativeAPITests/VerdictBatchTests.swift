import Postgres
import Synchronization
import Testing

@testable import NativeAPI

@Suite final class VerdictBatchTests: Sendable {
    private let wasServed = Atomic(false)

    // The attack: batches of 100 keys with 16 KiB of metadata each, whose answers were written without a pause.
    @Test func `other requests of the thread have their turn while the verdicts of a batch are written`() async throws {
        let reactor = try Reactor(name: "requests")
        let (short, long) = await withTaskExecutorPreference(reactor) {
            // Behind this task in the queue of the thread.
            let other = Task(executorPreference: reactor) { self.wasServed.store(true, ordering: .relaxed) }
            _ = await VerdictJSON.batch(Array(repeating: .unreachable, count: 8))
            let short = self.wasServed.load(ordering: .relaxed)
            _ = await VerdictJSON.batch(Array(repeating: .unreachable, count: 9))
            let long = self.wasServed.load(ordering: .relaxed)
            await other.value
            return (short, long)
        }
        #expect(!short && long)
        await reactor.shutdown()
    }

    @Test func `a batch is an object with its verdicts`() async {
        let verdict = #"{"valid":false,"code":"workspace_unavailable","key":null,"rate_limit":null}"#
        let bytes = await VerdictJSON.batch([.unreachable, .unreachable])
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"verdicts":[\#(verdict),\#(verdict)]}"#)
    }
}
