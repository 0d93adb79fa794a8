import FoundationEssentials
import KeyStore
import Keys
import Locks
import Logging
import Postgres
import TestSupport
import Testing

@testable import Tenancy
@testable import Verification

/// Usage counts while databases or clusters are away.
@Suite(.hangLimit) final class UsageOutageTests: Sendable {
    private let clock = Locked(ContinuousClock.now)
    /// The clusters that refuse writes.
    private let broken = Locked<Set<UUID>>([])
    /// The clusters that do not answer.
    private let silent = Locked<Set<UUID>>([])
    /// The clusters without a lease.
    private let cutOff = Locked<Set<UUID>>([])
    private let attempts = Locked<[UUID: [ContinuousClock.Instant]]>([:])
    private let batches = Locked<[UUID: [[UsageCount]]]>([:])
    private let underway = Locked<(now: Int, most: Int)>((0, 0))

    private func recorder(_ options: UsageRecorder.Options = UsageRecorder.Options()) -> UsageRecorder {
        UsageRecorder(
            options: options,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            pause: { _ in },
            now: { self.clock.withLock { $0 } },
            isCutOff: { database in self.cutOff.withLock { $0.contains(Self.cluster(of: database)) } },
            write: { database, counts in try await self.write(database, counts) }
        )
    }

    private func write(_ database: UsageRecorder.Database, _ counts: [UsageCount]) async throws {
        let (cluster, instant) = (Self.cluster(of: database), clock.withLock { $0 })
        attempts.withLock { $0[cluster, default: []].append(instant) }
        if broken.withLock({ $0.contains(cluster) }) { throw PostgresError(.connectFailed, "no server") }
        if silent.withLock({ $0.contains(cluster) }) {
            underway.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            defer { underway.withLock { $0.now -= 1 } }
            try await eventually("the cluster answers", within: .ample) {
                self.silent.withLock { !$0.contains(cluster) }
            }
        }
        batches.withLock { $0[cluster, default: []].append(counts) }
    }

    private static func cluster(of database: UsageRecorder.Database) -> UUID {
        if case .workspace(let facts) = database { facts.clusterID } else { Workspace.rootID }
    }

    private static func workspace(on cluster: UUID) -> UsageRecorder.Database {
        .workspace(
            WorkspaceFacts(
                workspaceID: UUID(),
                organizationID: UUID(),
                ref: .root,
                clusterID: cluster,
                database: "workspace"
            )
        )
    }

    private static func minute(_ number: Int) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: Int64(number) * 60_000_000)
    }

    /// The uses that were written to a cluster.
    private func uses(on cluster: UUID) -> Int {
        batches.withLock { $0[cluster, default: []].joined().reduce(0) { $0 + $1.verifications } }
    }

    // The fault: over a weekend with a full disk, 10,000 keys in use had 36 million sums in memory, and the metric said 0.
    @Test func `counts that wait are added up by the hour, lose no use, and are written in batches of bounded size`()
        async
    {
        let recorder = self.recorder(UsageRecorder.Options(batch: 7, batchRows: 20))
        let cluster = UUID()
        let home = Self.workspace(on: cluster)
        let keys = (0..<10).map { _ in KeyState.ofNewKey() }
        broken.withLock { $0 = [cluster] }
        for minute in 0..<600 {
            for key in keys { recorder.record(home, key, .valid, at: Self.minute(minute), from: nil) }
            await recorder.flush(.ready, over: .zero)
        }
        #expect(uses(on: cluster) == 0)
        #expect(recorder.lastUse(of: keys[0].secretID)?.at == Self.minute(599))
        broken.withLock { $0 = [] }
        await recorder.flush()
        #expect(uses(on: cluster) == 6000)
        #expect(recorder.overflowCount == 0)
        let batches = self.batches.withLock { $0[cluster, default: []] }
        for batch in batches {
            #expect(batch.count <= 7 && batch.reduce(0) { $0 + $1.rows } <= 20)
            #expect(Set(batch.map(\.secretID)).count == batch.count)
        }
        // Ten hours, and the minutes that are not added up yet.
        #expect(batches.joined().reduce(0) { $0 + $1.sums } <= 10 * (10 + 31))
        var hours: [Int64: Int] = [:]
        for count in batches.joined() {
            for (minute, number) in count.verdicts { hours[minute.number / 60, default: 0] += number }
        }
        #expect(hours == Dictionary(uniqueKeysWithValues: (0..<10).map { (Int64($0), 600) }))
    }

    // The fault: the flush of late databases took the counts of all others, too, for which a full backlog has no room.
    @Test func `a backlog that is full because of one cluster loses no use of another one`() async {
        let recorder = self.recorder(UsageRecorder.Options(maximumSecrets: 5))
        let (sound, away) = (UUID(), UUID())
        let (home, far) = (Self.workspace(on: sound), Self.workspace(on: away))
        let key = KeyState.ofNewKey()
        broken.withLock { $0 = [away] }
        for _ in 0..<20 {
            recorder.record(far, KeyState.ofNewKey(), .valid, at: Self.minute(1), from: nil)
            await recorder.flush(.ready, over: .zero)
        }
        #expect(recorder.overflowCount > 0)
        for _ in 0..<3 {
            recorder.record(home, key, .valid, at: Self.minute(1), from: nil)
            await recorder.flush(.late, over: .zero)
            await recorder.flush(.ready, over: .zero)
        }
        #expect(uses(on: sound) == 3)
    }

    @Test func `the sums that wait are bounded, and uses beyond the bound are counted as uncounted`() async {
        let recorder = self.recorder(UsageRecorder.Options(maximumSums: 100))
        let cluster = UUID()
        let home = Self.workspace(on: cluster)
        let keys = (0..<10).map { _ in KeyState.ofNewKey() }
        broken.withLock { $0 = [cluster] }
        for minute in 0..<1200 {
            for key in keys { recorder.record(home, key, .valid, at: Self.minute(minute), from: nil) }
            await recorder.flush(.ready, over: .zero)
        }
        #expect(recorder.overflowCount > 0)
        // The last use needs no sum.
        #expect(recorder.lastUse(of: keys[0].secretID)?.at == Self.minute(1199))
        broken.withLock { $0 = [] }
        await recorder.flush()
        let sums = batches.withLock { $0[cluster, default: []].joined().reduce(0) { $0 + $1.sums } }
        #expect(sums > 0 && sums <= 100)
        #expect(uses(on: cluster) + recorder.overflowCount == 12_000)
        // There is room again.
        let before = recorder.overflowCount
        for key in keys { recorder.record(home, key, .valid, at: Self.minute(1200), from: nil) }
        await recorder.flush()
        #expect(recorder.overflowCount == before)
    }

    @Test func `a database whose writes fail is tried ever more rarely, and every second once it works`() async {
        let recorder = self.recorder()
        let cluster = UUID()
        let home = Self.workspace(on: cluster)
        let key = KeyState.ofNewKey()
        broken.withLock { $0 = [cluster] }
        let begin = clock.withLock { $0 }
        func second() async {
            recorder.record(home, key, .valid, at: Self.minute(0), from: nil)
            await recorder.flush(.ready, over: .zero)
            clock.withLock { $0 += .seconds(1) }
        }
        for _ in 0..<190 { await second() }
        let failed = attempts.withLock { $0[cluster, default: []] }
        #expect(failed.map { ($0 - begin).components.seconds } == [0, 1, 3, 7, 15, 31, 63, 123, 183])
        broken.withLock { $0 = [] }
        for _ in 0..<60 { await second() }
        let later = attempts.withLock { $0[cluster, default: []] }.dropFirst(failed.count)
        #expect(later.map { ($0 - begin).components.seconds } == Array(243..<250))
        #expect(uses(on: cluster) == 250)
    }

    // The fault: a cluster that swallowed all packets kept the counts of all others waiting for 40 s.
    @Test func `a cluster that does not answer keeps the counts of no other waiting`() async throws {
        let recorder = self.recorder(UsageRecorder.Options(interval: .milliseconds(5)))
        let (dead, sound) = (UUID(), UUID())
        silent.withLock { $0 = [dead] }
        for _ in 0..<80 {
            recorder.record(Self.workspace(on: dead), KeyState.ofNewKey(), .valid, at: Self.minute(0), from: nil)
        }
        let run = Task { await recorder.run() }
        try await eventually("the dead cluster is asked") { underway.withLock { $0.now } == 4 }
        let (home, key) = (Self.workspace(on: sound), KeyState.ofNewKey())
        for number in 1...3 {
            recorder.record(home, key, .valid, at: Self.minute(0), from: nil)
            try await eventually("a use is written") { uses(on: sound) == number }
        }
        #expect(uses(on: dead) == 0)
        #expect(underway.withLock { $0.most } == 4)
        silent.withLock { $0 = [] }
        run.cancel()
        await run.value
        #expect(uses(on: dead) == 80)
        #expect(uses(on: sound) == 3)
    }

    @Test func `a cluster without a lease is not written to, and its counts wait`() async {
        let recorder = self.recorder()
        let (dead, sound) = (UUID(), UUID())
        let keys = [dead: KeyState.ofNewKey(), sound: KeyState.ofNewKey()]
        cutOff.withLock { $0 = [dead] }
        for (cluster, key) in keys {
            recorder.record(Self.workspace(on: cluster), key, .valid, at: Self.minute(7), from: nil)
        }
        for _ in 0..<3 { await recorder.flush(.ready, over: .zero) }
        #expect(attempts.withLock { Set($0.keys) } == [sound])
        #expect(keys[dead].flatMap { recorder.lastUse(of: $0.secretID)?.at } == Self.minute(7))
        cutOff.withLock { $0 = [] }
        await recorder.flush(.ready, over: .zero)
        #expect(uses(on: dead) == 1)
    }
}
