import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Fence

/// Changes under fences, on a real server.
@Suite(.hangLimit) struct ClusterFencesTests {
    private struct Refusal: Error {}

    private let target = FencedKeys(workspace: UUID(), keys: [UUID()])

    @Test func `a change runs while its fence stands, and its fence is gone when it returns`() async throws {
        try await withCluster { cluster in
            try await cluster.withFences(clock: StoppedClock().clock) { fences in
                let standing = try await fences.perform(target) {
                    try await cluster.withConnection {
                        try await $0.number("SELECT count(*) FROM fence.fences WHERE key_id IS NOT NULL")
                    }
                }
                #expect(standing == 1)
                let fencesLeft = try await cluster.count("fences")
                #expect(fencesLeft == 0)
            }
        }
    }

    // The cost: every renewal of every node reads and returns a row for each fence.
    @Test func `a change of several keys has one fence around all of them`() async throws {
        let keys = [UUID(), UUID(), UUID()]
        try await withCluster { cluster in
            try await cluster.withFences(clock: StoppedClock().clock) { fences in
                try await fences.perform(FencedKeys(workspace: target.workspace, keys: keys)) {
                    let standing = try await cluster.withConnection {
                        try await $0.query(Statement("SELECT key_ids FROM fence.fences"))
                    }
                    let fenced = try standing.map { try $0.decode(0, as: [UUID].self) }
                    #expect(fenced == [keys])
                }
                let fencesLeft = try await cluster.count("fences")
                #expect(fencesLeft == 0)
            }
        }
    }

    /// A trigger that counts the fences that are inserted.
    private static let notes = """
        CREATE TABLE inserted (id uuid);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO public.inserted VALUES (NEW.id); RETURN NULL; END';
        CREATE TRIGGER note AFTER INSERT ON fence.fences FOR EACH ROW EXECUTE FUNCTION note()
        """

    // The fault: a commit on a busy disk took longer than a second, and a revocation was answered with 503 although it still had time.
    @Test func `a statement of a fence is not given up while its change has time`() async throws {
        try await withCluster { cluster in
            let other = try await cluster.connect()
            try await other.script("BEGIN; SELECT pg_advisory_xact_lock_shared(1718972003, 1)")
            try await cluster.withFences(leastTime: .milliseconds(1)) { fences in
                let target = self.target
                let change = Task { try await PostgresDeadline.with(.ample) { try await fences.perform(target) {} } }
                try await cluster.withConnection { connection in
                    try await eventually("the insertion has waited for longer than the least time") {
                        try await connection.number(
                            """
                            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
                                AND query LIKE '%insert_fence%' AND clock_timestamp() - query_start > interval '0.3 s'
                            """
                        ) > 0
                    }
                }
                try await other.script("COMMIT")
                try await change.value
            }
        }
    }

    // The fault: the caller of a refused change waited for the lift, whose commit can wait for a standby.
    @Test func `a change that was rolled back throws its own error at once, and its fence is lifted afterwards`()
        async throws
    {
        try await withCluster { cluster in
            let other = try await cluster.connect()
            try await cluster.withFences { fences in
                await #expect(throws: Refusal.self) {
                    try await fences.perform(target) {
                        // The lift waits for this lock.
                        try await other.script("BEGIN; SELECT id FROM fence.fences FOR UPDATE")
                        throw Refusal()
                    }
                }
                let fencesStanding = try await cluster.count("fences")
                #expect(fencesStanding == 1)
                try await other.script("COMMIT")
                await fences.untilLifted()
                let fencesLeft = try await cluster.count("fences")
                #expect(fencesLeft == 0)
            }
            await other.close()
        }
    }

    // Attack (rule 26): the mutator gives up its fence, the COMMIT that hung on a standby ends, and the change returns.
    @Test func `a change with an unknown outcome leaves its fence`() async throws {
        try await withCluster { cluster in
            try await cluster.withFences { fences in
                let error = await #expect(throws: PostgresError.self) {
                    try await fences.perform(target) { throw PostgresError(.commitOutcomeUnknown, "lost") }
                }
                #expect(error?.code == .commitOutcomeUnknown)
                let fencesLeft = try await cluster.count("fences")
                #expect(fencesLeft == 1)
            }
        }
    }

    // Attack (rules 28, 29): the fence expired, or its session ended, before the commit.
    @Test(arguments: [
        "DELETE FROM fence.fences",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%are_acknowledged%' AND pid <> pg_backend_pid()",
    ])
    func `a fence that is gone is inserted once more, and the change is made once`(end: String) async throws {
        try await withCluster { cluster in
            try await cluster.withFences { fences in
                // The second fence, and with it the first, are counted by a trigger.
                try await cluster.withConnection {
                    try await $0.script(Self.notes)
                }
                var changes = 0
                try await fences.perform(target) {
                    changes += 1
                    try await cluster.withConnection { try await $0.script(end) }
                }
                #expect(changes == 1)
                let inserted = try await cluster.withConnection { try await $0.number("SELECT count(*) FROM inserted") }
                #expect(inserted == 2)
            }
        }
    }

    @Test func `a change whose fence is gone twice is answered with an unknown outcome`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection {
                try await $0.script(
                    "CREATE OR REPLACE FUNCTION fence.lift_fences(fences uuid[]) RETURNS boolean LANGUAGE sql AS 'SELECT false'"
                )
            }
            try await cluster.withFences { fences in
                var changes = 0
                await #expect(throws: FenceError.unknown) { try await fences.perform(target) { changes += 1 } }
                #expect(changes == 1)
            }
        }
    }

    @Test func `without a fence no change is made`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection { try await $0.script("DROP TABLE fence.fences") }
            try await cluster.withFences { fences in
                let error = await #expect(throws: PostgresError.self) {
                    try await fences.perform(target) { Issue.record("the change was made") }
                }
                #expect(error?.code == .server)
            }
        }
    }

    // Attack on ourselves: a client that hangs up leaves fences behind, and keys are not cached for half a minute.
    @Test func `a cancelled change lifts its fence`() async throws {
        try await withCluster { cluster in
            try await cluster.withFences { fences in
                let target = self.target
                let task = Task {
                    try await fences.perform(target) {
                        withUnsafeCurrentTask { $0?.cancel() }
                        try Task.checkCancellation()
                    }
                }
                await #expect(throws: CancellationError.self) { try await task.value }
                await fences.untilLifted()
                let fencesLeft = try await cluster.count("fences")
                #expect(fencesLeft == 0)
            }
        }
    }

    // Attack (rule 22): the change returns while a node serves its entry. The clock stands still, so only the row can end the wait.
    @Test func `a change waits for a silent node until the time is over, and then deletes its row`() async throws {
        try await withCluster { cluster in
            try await cluster.withConnection {
                _ = try await $0.query(FenceStatements.renew, [UUID(), [UUID]()])
            }
            let clock = StoppedClock()
            try await cluster.withFences(clock: clock.clock) { fences in
                let isMade = Flag()
                let target = self.target
                let change = Task { try await fences.perform(target) { isMade.set() } }
                try await eventually("the fence stands") { try await cluster.count("fences") == 1 }
                // The wait has begun.
                try await clock.waitForReads()
                clock.advance(by: .milliseconds(2300))
                try await clock.waitForReads()
                #expect(!isMade.isSet)
                let leasesBefore = try await cluster.count("leases")
                #expect(leasesBefore == 1)
                clock.advance(by: .milliseconds(200))
                try await change.value
                #expect(isMade.isSet)
                let leasesLeft = try await cluster.count("leases")
                #expect(leasesLeft == 0)
            }
        }
    }

    // Attack (rule 32): the failover lost the row of a lease, so nobody waits for that node.
    @Test func `on a timeline that is not recorded, the first change waits in full, and the next ones do not`()
        async throws
    {
        try await withCluster { cluster in
            try await cluster.withConnection { try await $0.script("UPDATE fence.timeline SET system_identifier = 1") }
            let clock = StoppedClock()
            try await cluster.withFences(clock: clock.clock) { fences in
                let isMade = Flag()
                let target = self.target
                let change = Task { try await fences.perform(target) { isMade.set() } }
                try await eventually("the fence stands") { try await cluster.count("fences") == 1 }
                // The wait has begun.
                try await clock.waitForReads()
                clock.advance(by: .milliseconds(2300))
                try await clock.waitForReads()
                #expect(!isMade.isSet)
                clock.advance(by: .milliseconds(200))
                try await change.value
                // The clock stands still again.
                try await fences.perform(target) {}
            }
            // Another process, which has not known the timeline for long, finds it in the row.
            try await cluster.withFences(clock: StoppedClock().clock) { try await $0.perform(target) {} }
        }
    }
}
