import FoundationEssentials
import KeyStore
import Keys
import Locks
import Logging
import Testing

@testable import Tenancy
@testable import Verification

/// The writes of a flush, and the pauses between them.
@Suite final class UsageRecorderTests: Sendable {
    private let written = Locked<[UUID: Int]>([:])
    private let pauses = Locked<[Duration]>([])

    private func recorder(
        pause: (@Sendable (Duration) async -> Void)? = nil
    ) -> UsageRecorder {
        UsageRecorder(
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            pause: pause ?? { length in self.pauses.withLock { $0.append(length) } },
            write: { database, counts in
                let uses = counts.reduce(0) { $0 + $1.verdicts.values.reduce(0, +) }
                self.written.withLock { $0[database.workspaceID, default: 0] += uses }
            }
        )
    }

    /// Counts a use in each of some new workspaces.
    private func use(_ workspaces: Int, _ recorder: UsageRecorder) {
        for number in 0..<workspaces {
            let facts = WorkspaceFacts(
                workspaceID: UUID(),
                organizationID: UUID(),
                ref: .root,
                clusterID: UUID(),
                database: "\(number)"
            )
            let state = KeyState(
                keyID: UUID(),
                secretID: UUID(),
                workspaceRef: .root,
                workspaceIsActive: true,
                kind: .service,
                mode: .live
            )
            recorder.record(.workspace(facts), state, .valid, at: Timestamp(microsecondsSinceUnixEpoch: 0), from: nil)
        }
    }

    /// Cancels the task that calls it.
    private static func cancelTask() { withUnsafeCurrentTask { $0?.cancel() } }

    // The attack: a tenant uses 80 workspaces, whose counts came together every second. All others waited for a processor meanwhile.
    @Test func `the writes of many workspaces begin one after the other within the given time`() async {
        let recorder = self.recorder()
        use(80, recorder)
        await recorder.flush(over: .milliseconds(400))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(5), count: 79))
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 80))
    }

    @Test func `the counts of few workspaces wait no longer than the counts of many`() async {
        let recorder = self.recorder()
        use(3, recorder)
        await recorder.flush(over: .milliseconds(400))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(10), count: 2))
    }

    @Test func `the last flush makes no pause`() async {
        let recorder = self.recorder()
        use(80, recorder)
        await recorder.flush()
        #expect(pauses.withLock { $0.isEmpty })
        #expect(written.withLock { $0.count } == 80)
    }

    // A server that stops cancels a flush in the middle.
    @Test func `a flush that is cancelled loses no count and writes none twice`() async {
        let recorder = self.recorder { _ in Self.cancelTask() }
        use(80, recorder)
        await Task { await recorder.flush(over: .milliseconds(400)) }.value
        #expect(written.withLock { $0.count } < 80)
        await recorder.flush()
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 80))
    }
}
