import FoundationEssentials
import LocalPostgres
import Logging
import Postgres
import TestSupport
import Testing

@testable import Fence

/// Keepers of leases on real servers.
@Suite(.hangLimit) struct LeaseKeeperTests {
    private let key = UUID()
    private let target: FencedKeys

    init() { target = FencedKeys(workspace: UUID(), keys: [key]) }

    /// The durations of a keeper whose statements a busy machine answers in time.
    ///
    /// A keeper that cannot delete its row in time leaves it.
    private static let ample = FenceTimes(trust: .seconds(120))

    /// Waits until a lease is granted later than this call, so by a renewal that was sent after it.
    private func waitForRenewal(_ keeper: LeaseKeeper) async throws {
        let later = Moment.now + FenceTimes.standard.trust
        try await eventually("the lease is renewed") { keeper.view.lease(at: later) != nil }
    }

    private func sessions(of keeper: LeaseKeeper, _ connection: PostgresConnection) async throws -> Int {
        let name = "mortise lease \(keeper.node.uuidString.lowercased())"
        return try await connection.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(name)'")
    }

    /// Returns a stamp of the target's key, once a read can be stored.
    private func stamp(_ keeper: LeaseKeeper, _ timeline: ServerTimeline) async throws -> Stamp {
        let fences = keeper.view.fences(of: target.workspace)
        var result: Stamp?
        try await eventually("a read can be stored") {
            let ticket = keeper.view.willRead(in: fences)
            if case .store(let stamp) = keeper.view.didRead(ticket, key: key, on: timeline.mark, at: .now) {
                result = stamp
            }
            return result != nil
        }
        return try #require(result)
    }

    private func isHit(_ stamp: Stamp, _ keeper: LeaseKeeper) -> Bool {
        guard let lease = keeper.view.lease(at: .now) else { return false }
        return keeper.view.admits(stamp, lease)
    }

    // The mutator's clock stands still, so the change returns only if both nodes acknowledge.
    @Test func `a change returns when all nodes have acknowledged its fence, and none has an older entry then`()
        async throws
    {
        try await withCluster { cluster in
            try await cluster.withKeeper { first in
                try await cluster.withKeeper { second in
                    let (timeline, _) = try await cluster.withConnection { try await $0.readTimeline() }
                    let keepers = [first, second]
                    try await cluster.withFences(clock: StoppedClock().clock) { fences in
                        for _ in 0..<5 {
                            var stamps: [Stamp] = []
                            for keeper in keepers { stamps.append(try await stamp(keeper, timeline)) }
                            try await fences.perform(target) {
                                for (keeper, stamp) in zip(keepers, stamps) {
                                    #expect(keeper.view.raisedCount == 1)
                                    #expect(!isHit(stamp, keeper))
                                }
                            }
                            for (keeper, stamp) in zip(keepers, stamps) { #expect(!isHit(stamp, keeper)) }
                        }
                    }
                }
            }
        }
    }

    // Attack (rule 11): NOTIFY was lost.
    @Test func `a fence is raised and lifted without a notification`() async throws {
        try await withCluster { cluster in
            try await cluster.withKeeper { keeper in
                try await cluster.withConnection {
                    try await $0.script(
                        "INSERT INTO fence.fences VALUES (gen_random_uuid(), gen_random_uuid(), NULL, now(), now() + interval '1 h')"
                    )
                }
                try await eventually("the fence is raised") { keeper.view.raisedCount == 1 }
                try await cluster.withConnection { try await $0.script("DELETE FROM fence.fences") }
                try await eventually("the fence is lifted") { keeper.view.raisedCount == 0 }
            }
        }
    }

    @Test func `a keeper whose session is ended goes on in another one, with the same lease`() async throws {
        try await withCluster { cluster in
            try await cluster.withKeeper { keeper in
                for _ in 0..<3 {
                    try await cluster.withConnection {
                        try await $0.script(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = current_database() AND application_name LIKE 'mortise lease%'
                            """
                        )
                    }
                    try await waitForRenewal(keeper)
                }
                #expect(try await cluster.count("leases") == 1)
                try await cluster.withFences(clock: StoppedClock().clock) { try await $0.perform(target) {} }
            }
        }
    }

    // Attack (rule 8): it answers from the cache when nobody waits for it.
    @Test func `a keeper that is shut down trusts no lease, and no change waits for it`() async throws {
        try await withCluster { cluster in
            let keeper = try LeaseKeeper(cluster.configuration, times: Self.ample, logger: cluster.log.logger)
            try await waitForRenewal(keeper)
            await keeper.shutdown()
            #expect(keeper.view.lease(at: .now) == nil)
            #expect(try await cluster.count("leases") == 0)
            // The server notices a moment later that the connection was closed.
            try await cluster.withConnection { connection in
                try await eventually("the session has ended") { try await sessions(of: keeper, connection) == 0 }
            }
            // A second call returns, too.
            await keeper.shutdown()
        }
    }

    @Test func `a keeper ends with its owner`() async throws {
        try await withCluster { cluster in
            var keeper: LeaseKeeper? = try LeaseKeeper(
                cluster.configuration,
                times: Self.ample,
                logger: cluster.log.logger
            )
            let view = try #require(keeper).view
            try await waitForRenewal(try #require(keeper))
            keeper = nil
            #expect(view.lease(at: .now) == nil)
            try await eventually("the lease is deleted") { try await cluster.count("leases") == 0 }
        }
    }

    // Attack on ourselves: a renewal that hangs on a standby stays on the server when its node gives up. Each attempt would leave a
    // session.
    @Test func `renewals that wait for a standby end the lease, and do not pile up on the server`() async throws {
        try await withReplicatedServer { servers in
            let cluster = try await ClusterFixture.create(in: servers.primary.configuration())
            let keeper = try LeaseKeeper(cluster.configuration, logger: cluster.log.logger)
            try await waitForRenewal(keeper)
            await servers.standbyProcess.stop()
            try await eventually("the lease ends") { keeper.view.lease(at: .now) == nil }
            try await cluster.withConnection { connection in
                var processes: Set<Int> = []
                try await eventually("the keeper has connected again and again") {
                    let rows = try await connection.query(
                        Statement("SELECT pid::int8 FROM pg_stat_activity WHERE application_name LIKE 'mortise lease%'")
                    )
                    for row in rows { processes.insert(try row.decode(0)) }
                    #expect(rows.count <= 2)
                    return processes.count > 3
                }
            }
            // However many attempts fail, the log has one line, and one when they succeed again.
            func lines(_ level: Logger.Level) -> Int {
                cluster.log.lines.count { $0.level == level && $0.message.contains("a PostgreSQL server can") }
            }
            #expect(lines(.error) == lines(.notice) + 1)
            try await servers.standbyProcess.start()
            try await waitForRenewal(keeper)
            try await eventually("the log says that it is over") { lines(.error) == lines(.notice) }
            await keeper.shutdown()
        }
    }

    // Attack (rules 21, 32): the lease is from the new server, the read from the old one, and the failover lost a row.
    @Test func `after a promotion, reads of the old server are refused, and the first change waits in full`()
        async throws
    {
        try await withReplicatedServer { servers in
            let cluster = try await ClusterFixture.create(in: servers.primary.configuration())
            let standby = ClusterFixture(configuration: try await servers.standby().setting("synchronous_commit", "on"))
            let (old, _) = try await cluster.withConnection { try await $0.readTimeline() }
            // A standby has no leases to give.
            let early = try LeaseKeeper(standby.configuration, logger: standby.log.logger)
            try await cluster.withKeeper { _ in #expect(early.view.lease(at: .now) == nil) }
            await servers.primaryProcess.stop(mode: .immediate)
            try await servers.promoteStandby()
            try await waitForRenewal(early)
            let (new, recorded) = try await standby.withConnection { try await $0.readTimeline() }
            #expect(new.system == old.system && new.number > old.number && recorded == old)
            try await eventually("a read is judged under a good lease") {
                let ticket = early.view.willRead(in: early.view.fences(of: target.workspace))
                switch early.view.didRead(ticket, key: key, on: old.mark, at: .now) {
                case .otherServer: return true
                case .noLease: return false
                default:
                    Issue.record("a read of the old server counts")
                    return true
                }
            }
            _ = try await stamp(early, new)
            let clock = StoppedClock()
            let isMade = Flag()
            try await standby.withFences(clock: clock.clock) { fences in
                let target = self.target
                let change = Task { try await fences.perform(target) { isMade.set() } }
                try await eventually("the node has raised the fence") { early.view.raisedCount == 1 }
                try await clock.waitForReads()
                clock.advance(by: .milliseconds(2300))
                try await clock.waitForReads()
                #expect(!isMade.isSet)
                clock.advance(by: .milliseconds(200))
                try await change.value
                try await fences.perform(target) {}
            }
            await early.shutdown()
        }
    }

    @Test func `a keeper survives the loss of its server, and the change after it waits for no earlier lease`()
        async throws
    {
        try await withServer(settings: ["synchronous_commit": "on"]) { server, process in
            let cluster = try await ClusterFixture.create(in: server.configuration())
            try await cluster.withKeeper { keeper in
                try await process.kill9()
                try await eventually("the lease ends") { keeper.view.lease(at: .now) == nil }
                // Reads of a server that is silent for longer than that are refused at once.
                try await eventually("the keeper is cut off for a second") { keeper.isCutOff(for: .seconds(1)) }
                try await process.start()
                try await waitForRenewal(keeper)
                #expect(!keeper.isCutOff && !keeper.isCutOff(for: .zero))
                // The restart is no new timeline, and the row is the keeper's own.
                try await cluster.withFences(clock: StoppedClock().clock) { try await $0.perform(target) {} }
            }
        }
    }
}
