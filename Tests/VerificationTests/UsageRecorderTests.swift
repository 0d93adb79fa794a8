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
    private let clock = Locked(ContinuousClock.now)
    private let used = Locked<Set<UUID>>([])
    private let late = Locked<Set<UUID>>([])

    private func recorder(
        pause: (@Sendable (Duration) async -> Void)? = nil,
        timeOfWrite: Duration = .zero
    ) -> UsageRecorder {
        UsageRecorder(
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            pause: pause
                ?? { length in
                    self.pauses.withLock { $0.append(length) }
                    self.clock.withLock { $0 += length }
                },
            now: { self.clock.withLock { $0 } },
            isLate: { database in self.late.withLock { $0.contains(database.workspaceID) } },
            write: { database, counts in
                self.clock.withLock { $0 += timeOfWrite }
                let uses = counts.reduce(0) { $0 + $1.verdicts.values.reduce(0, +) }
                self.written.withLock { $0[database.workspaceID, default: 0] += uses }
            }
        )
    }

    private static let cluster = UUID()

    private static func workspace(_ database: String) -> WorkspaceFacts {
        WorkspaceFacts(
            workspaceID: UUID(),
            organizationID: UUID(),
            ref: .root,
            clusterID: cluster,
            database: database
        )
    }

    /// Counts a use of some keys in each of some new workspaces.
    ///
    /// - Returns: The ids of the workspaces.
    @discardableResult
    private func use(_ workspaces: Int, keys: Int = 1, _ recorder: UsageRecorder) -> Set<UUID> {
        var ids: Set<UUID> = []
        for number in 0..<workspaces {
            let facts = Self.workspace("\(number)")
            for _ in 0..<keys {
                let state = KeyState.ofNewKey()
                recorder.record(
                    .workspace(facts),
                    state,
                    .valid,
                    at: Timestamp(microsecondsSinceUnixEpoch: 0),
                    from: nil
                )
            }
            ids.insert(facts.workspaceID)
        }
        return ids
    }

    /// Cancels the task that calls it.
    private static func cancelTask() { withUnsafeCurrentTask { $0?.cancel() } }

    // The attack: a tenant uses 80 workspaces, whose counts came together every second. All others waited for a processor meanwhile.
    @Test func `the writes of many workspaces begin one after the other within the given time`() async {
        let recorder = self.recorder()
        use(80, recorder)
        await recorder.flush(.ready, over: .milliseconds(400))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(5), count: 79))
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 80))
    }

    @Test func `the counts of few workspaces wait no longer than the counts of many`() async {
        let recorder = self.recorder()
        use(3, recorder)
        await recorder.flush(.ready, over: .milliseconds(400))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(10), count: 2))
    }

    // The look-ups of a workspace wait for each batch, and waited for all of them in a row.
    @Test func `the batches of a workspace with many keys are written with pauses`() async {
        let recorder = self.recorder()
        let workspaces = use(1, keys: 4_000, recorder)
        await recorder.flush(.ready, over: .milliseconds(200))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(5), count: 39))
        #expect(written.withLock { $0 } == Dictionary(uniqueKeysWithValues: workspaces.map { ($0, 4_000) }))
    }

    @Test func `the time of the writes is no part of the pauses`() async {
        let recorder = self.recorder(timeOfWrite: .milliseconds(2))
        use(1, keys: 4000, recorder)
        await recorder.flush(.ready, over: .milliseconds(200))
        #expect(pauses.withLock { $0 } == Array(repeating: Duration.milliseconds(3), count: 39))
    }

    @Test func `the last flush makes no pause`() async {
        let recorder = self.recorder()
        use(80, recorder)
        await recorder.flush()
        #expect(pauses.withLock { $0.isEmpty })
        #expect(written.withLock { $0.count } == 80)
    }

    // The attack: a tenant uses more workspaces than it can have connections to. Each of their counts waited for a connection, and those of all
    // others waited behind them.
    @Test func `counts that need the connection of another workspace keep no other counts waiting`() async {
        let recorder = self.recorder()
        let slow = use(40, recorder)
        let others = use(3, recorder)
        late.withLock { $0 = slow }
        await recorder.flush(.ready, over: .milliseconds(400))
        #expect(written.withLock { Set($0.keys) } == others)
        await recorder.flush(.late, over: .milliseconds(400))
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 43))
    }

    @Test func `a connection that is closed during a flush lets its counts wait, and the last flush writes all`() async
    {
        let recorder = self.recorder { _ in
            let used = self.used.withLock { $0 }
            self.late.withLock { $0 = used }
        }
        let workspaces = use(40, recorder)
        used.withLock { $0 = workspaces }
        await recorder.flush(.ready, over: .milliseconds(400))
        #expect(written.withLock { $0.count } == 1)
        await recorder.flush()
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 40))
    }

    // A server that stops cancels a flush in the middle.
    @Test func `a flush that is cancelled loses no count and writes none twice`() async {
        let recorder = self.recorder { _ in Self.cancelTask() }
        use(80, recorder)
        await Task { await recorder.flush(.ready, over: .milliseconds(400)) }.value
        #expect(written.withLock { $0.count } < 80)
        await recorder.flush()
        #expect(written.withLock { $0.values.sorted() } == Array(repeating: 1, count: 80))
    }

    // Whoever reads a row, and adds the last use after the flush that wrote it, has it from neither.
    @Test func `a last use is known until the flush after the one that wrote it has ended`() async {
        let recorder = self.recorder()
        let facts = Self.workspace("used")
        let state = KeyState.ofNewKey()
        let now = Timestamp(microsecondsSinceUnixEpoch: 7)
        recorder.record(.workspace(facts), state, .valid, at: now, from: nil)
        await recorder.flush()
        #expect(written.withLock { $0 } == [facts.workspaceID: 1])
        #expect(recorder.lastUse(of: state.secretID)?.at == now)
        await recorder.flush()
        #expect(recorder.lastUse(of: state.secretID) == nil)
    }

    // A quarantine reads the rows, and adds the addresses of the uses that were not written then.
    @Test func `all addresses are known until the flush after the one that wrote them has ended`() async throws {
        let recorder = self.recorder()
        let facts = Self.workspace("used")
        let (old, new, other) = (KeyState.ofNewKey(), KeyState.ofNewKey(), KeyState.ofNewKey())
        let texts = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]
        let addresses = try texts.map { try #require(IPAddress($0)) }
        for (number, (state, address)) in zip([old, old, old, new], addresses).enumerated() {
            let now = Timestamp(microsecondsSinceUnixEpoch: Int64(number))
            recorder.record(.workspace(facts), state, .valid, at: now, from: address)
            recorder.record(.workspace(facts), state, .revoked, at: now, from: IPAddress("198.51.100.1"))
        }
        let secrets = [old.secretID, new.secretID]
        #expect(recorder.addresses(of: secrets) == Set(addresses))
        #expect(recorder.addresses(of: [new.secretID]) == [addresses[3]])
        #expect(recorder.addresses(of: [other.secretID]).isEmpty)
        await recorder.flush()
        #expect(recorder.addresses(of: secrets) == Set(addresses))
        await recorder.flush()
        #expect(recorder.addresses(of: secrets).isEmpty)
    }

    // Threads that meet count in places of their own, which a flush adds.
    @Test func `the uses of one secret by many threads are counted once each`() async throws {
        let recorder = recorder()
        let state = KeyState.ofNewKey()
        let facts = Self.workspace("busy")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<2000 {
                        recorder.record(
                            .workspace(facts),
                            state,
                            .valid,
                            at: Timestamp(microsecondsSinceUnixEpoch: 1),
                            from: nil
                        )
                    }
                }
            }
        }
        await recorder.flush()
        #expect(written.withLock { $0[facts.workspaceID] } == 16_000)
        #expect(recorder.overflowCount == 0)
    }

    @Test func `a count keeps addresses of both kinds, and minutes and numbers of any size`() throws {
        let v6 = try #require(IPAddress("2001:db8:1:2:3:4:5:6"))
        let v4 = try #require(IPAddress("203.0.113.7"))
        for address in [v6, v4, nil] {
            #expect(KeyUse(at: Timestamp(microsecondsSinceUnixEpoch: 7), address: address).address == address)
        }
        var count = UsageCount(secretID: UUID(), keyID: UUID())
        let far = Timestamp(microsecondsSinceUnixEpoch: Int64(Int32.max) * 60_000_000 + 60_000_000)
        let now = Timestamp(microsecondsSinceUnixEpoch: 0)
        count.add(.valid, at: far)
        count.add(.valid, at: now)
        count.add(.valid, at: now)
        count.add(.revoked, at: now)
        let verdicts = count.verdicts
        #expect(verdicts[UsageCount.Minute(of: far, .valid)] == 1)
        #expect(verdicts[UsageCount.Minute(of: now, .valid)] == 2)
        #expect(verdicts[UsageCount.Minute(of: now, .revoked)] == 1)
        // 2³³ uses, by doubling.
        for _ in 0..<32 { count.merge(count) }
        #expect(count.verdicts[UsageCount.Minute(of: now, .valid)] == 2 << 32)
    }
}
