import FoundationEssentials
import JSON
import KeyStore
import Keys
import Locks
import Postgres
import Server
import ServerTestSupport
import Service
import Tenancy
import TestSupport
import Testing

@testable import Notices

/// The records of attempts, of which many share a transaction.
@Suite(.hangLimit) struct OutcomeRecorderTests {
    /// Leased attempts of two webhooks in turns, and the way to record them.
    private struct Fixture: Sendable {
        let mortise: ServerHarness
        let node: UUID
        let attempts: [LeasedAttempt]

        func store(_ batch: [EndedAttempt]) async throws -> RecordedAttempts {
            try await mortise.server.platform.databases.control.pool.withConnection { connection in
                try await DeliveryQueue(connection: connection).record(batch, by: node)
            }
        }

        /// Returns for each webhook the beginning of its failures and of its last success.
        func states() async throws -> [UUID: (failingSince: Timestamp?, succeededAt: Timestamp?)] {
            let rows = try await mortise.rows(
                mortise.installation.control,
                "SELECT id, failing_since, last_delivery_at FROM control.webhooks"
            )
            var states: [UUID: (failingSince: Timestamp?, succeededAt: Timestamp?)] = [:]
            for row in rows {
                states[try row.decode(0)] = (try row.optionalTimestamp(1), try row.optionalTimestamp(2))
            }
            return states
        }

        /// Returns the recorded attempts of each delivery, in the order of the attempts.
        func recorded() async throws -> [[Int?]] {
            let rows = try await mortise.rows(
                mortise.installation.control,
                """
                SELECT d.id, a.status_code FROM control.webhook_attempts a
                JOIN control.webhook_deliveries d ON d.id = a.delivery_id ORDER BY a.number
                """
            )
            var statuses: [UUID: [Int?]] = [:]
            for row in rows {
                let id: UUID = try row.decode(0)
                statuses[id, default: []].append(try row.decode(1, as: Int32?.self).map { Int($0) })
            }
            return attempts.map { statuses[$0.deliveryID] ?? [] }
        }
    }

    /// Runs a test with attempts whose deliveries no worker takes: they are leased until 2040.
    ///
    /// Each begins a second after the one before.
    private static func withAttempts(_ count: Int, _ body: (Fixture) async throws -> Void) async throws {
        try await withMortise { mortise in
            let control = mortise.installation.control
            _ = try await mortise.makeWebhook("https://a.example/", ["webhook.test"])
            _ = try await mortise.makeWebhook("https://b.example/", ["webhook.test"])
            let node = IdentifierSource.system.id()
            try await mortise.script(
                control,
                """
                INSERT INTO control.webhook_deliveries (id, webhook_id, event_id, type, subject_id, sequence, body,
                    next_attempt_at, leased_by, leased_until)
                SELECT gen_random_uuid(), w.id, gen_random_uuid(), 'key.updated', w.id, n, '{}', now(), '\(node)',
                    timestamptz '2040-01-01T00:00:00Z' + n * interval '1 second'
                FROM generate_series(1, \(count)) n
                JOIN (SELECT id, row_number() OVER (ORDER BY url) AS place FROM control.webhooks) w ON w.place = 2 - n % 2
                """
            )
            let rows = try await mortise.rows(
                control,
                """
                SELECT d.id, d.webhook_id, d.event_id, d.leased_until, w.organization_id FROM control.webhook_deliveries d
                JOIN control.webhooks w ON w.id = d.webhook_id ORDER BY d.sequence
                """
            )
            let start = try #require(Timestamp(rfc3339: "2030-01-01T00:00:00Z"))
            let attempts = try await mortise.server.platform.databases.control.pool.withConnection { connection in
                var attempts: [LeasedAttempt] = []
                for row in rows {
                    let (webhook, organization): (UUID, UUID) = (try row.decode(1), try row.decode(4))
                    let found = try await WebhookStore(connection).webhook(webhook, organization: organization)
                    attempts.append(
                        LeasedAttempt(
                            deliveryID: try row.decode(0),
                            webhook: try #require(found),
                            eventID: try row.decode(2),
                            body: "{}",
                            firstAttemptAt: nil,
                            attemptCount: 0,
                            at: start + .seconds(attempts.count),
                            leasedUntil: try row.timestamp(3)
                        )
                    )
                }
                return attempts
            }
            #expect(attempts.count == count)
            try await body(Fixture(mortise: mortise, node: node, attempts: attempts))
        }
    }

    private static func ended(_ attempt: LeasedAttempt, _ status: Int, next: Timestamp? = nil) -> EndedAttempt {
        let answer = WebhookAnswer(status: status, body: Array("answer".utf8))
        return EndedAttempt(attempt: attempt, outcome: AttemptOutcome(answer, milliseconds: 7), next: next)
    }

    // The fault: of a batch, one outcome is written to the row of another, or a lease that was taken over is ended.
    @Test func `a batch records each attempt once, and leaves a delivery alone that is leased again`() async throws {
        try await Self.withAttempts(5) { fixture in
            let attempts = fixture.attempts
            let next = attempts[0].at + .seconds(5)
            // The lease of the fifth delivery is not the one under which its attempt was made.
            try await fixture.mortise.script(
                fixture.mortise.installation.control,
                "UPDATE control.webhook_deliveries SET leased_until = '2041-01-01T00:00:00Z' WHERE id = '\(attempts[4].deliveryID)'"
            )
            let refused = EndedAttempt(
                attempt: attempts[3],
                outcome: AttemptOutcome(error: "refused", milliseconds: 1),
                next: next
            )
            let batch = [
                Self.ended(attempts[0], 500, next: next), Self.ended(attempts[1], 200),
                Self.ended(attempts[2], 204), refused, Self.ended(attempts[4], 200),
            ]
            let failing = try await fixture.store(batch).failing
            // The first webhook failed and then succeeded, the second one succeeded and then failed.
            #expect(failing[attempts[0].webhook.id] == nil)
            #expect(failing[attempts[1].webhook.id] == attempts[3].at)
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = [[500], [200], [204], [nil], []]
            #expect(recorded == statuses)
            let rows = try await fixture.mortise.rows(
                fixture.mortise.installation.control,
                """
                SELECT d.next_attempt_at, d.leased_by IS NULL, a.response, a.error, a.duration_ms
                FROM control.webhook_deliveries d LEFT JOIN control.webhook_attempts a ON a.delivery_id = d.id
                ORDER BY d.sequence
                """
            )
            let times = try rows.prefix(4).map { try $0.optionalTimestamp(0) }
            let expected: [Timestamp?] = [next, nil, nil, next]
            #expect(times == expected)
            let isFree = try rows.map { try $0.decode(1, as: Bool.self) }
            #expect(isFree == [true, true, true, true, false])
            let responses = try rows.map { try $0.decode(2, as: String?.self) }
            let answers: [String?] = ["answer", "answer", "answer", nil, nil]
            #expect(responses == answers)
            let errors = try rows.map { try $0.decode(3, as: String?.self) }
            let faults: [String?] = [nil, nil, nil, "refused", nil]
            #expect(errors == faults)
            let durations = try rows.compactMap { try $0.decode(4, as: Int32?.self) }.map { Int($0) }
            #expect(durations == [7, 7, 7, 1])
            // The same batch again finds no lease.
            _ = try await fixture.store(batch)
            let again = try await fixture.recorded()
            #expect(again == recorded)
        }
    }

    @Test func `attempts that end while a batch is written are recorded together`() async throws {
        try await Self.withAttempts(6) { fixture in
            let gate = AsyncStream<Void>.makeStream()
            let sizes = Locked<[Int]>([])
            let recorder = OutcomeRecorder(
                gather: {},
                store: { batch in
                    let isFirst = sizes.withLock { sizes in
                        sizes.append(batch.count)
                        return sizes.count == 1
                    }
                    if isFirst { for await _ in gate.stream { break } }
                    return try await fixture.store(batch)
                }
            )
            try await withThrowingTaskGroup { group in
                group.addTask { _ = try await recorder.record(Self.ended(fixture.attempts[0], 200)) }
                try await eventually("the first batch is being written") { sizes.withLock { $0.count } == 1 }
                for attempt in fixture.attempts.dropFirst() {
                    group.addTask { _ = try await recorder.record(Self.ended(attempt, 200)) }
                }
                try await eventually("the others wait") { recorder.waitingCount == 5 }
                gate.continuation.yield()
                try await group.waitForAll()
            }
            let written = sizes.withLock { $0 }
            #expect(written == [1, 5])
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = Array(repeating: [200], count: 6)
            #expect(recorded == statuses)
        }
    }

    // The fault: one row that the database refuses takes the records of all others with it, and they are sent again.
    @Test func `an attempt that cannot be recorded costs the others nothing`() async throws {
        try await Self.withAttempts(4) { fixture in
            let bad = fixture.attempts[1].deliveryID
            let recorder = OutcomeRecorder(
                gather: {},
                store: { batch in
                    if batch.contains(where: { $0.attempt.deliveryID == bad }) {
                        throw PostgresError(.server, "refused")
                    }
                    return try await fixture.store(batch)
                }
            )
            let refusals = try await withThrowingTaskGroup(of: Bool.self) { group in
                for attempt in fixture.attempts {
                    group.addTask {
                        do {
                            _ = try await recorder.record(Self.ended(attempt, 200))
                            return false
                        } catch {
                            return true
                        }
                    }
                }
                var count = 0
                for try await isRefused in group where isRefused { count += 1 }
                return count
            }
            #expect(refusals == 1)
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = [[200], [], [200], [200]]
            #expect(recorded == statuses)
        }
    }

    // The fault: the connection is lost after COMMIT, and the attempt is recorded twice or made again.
    @Test func `a batch whose answer is lost is written again, and recorded once`() async throws {
        try await Self.withAttempts(1) { fixture in
            let calls = Locked(0)
            let recorder = OutcomeRecorder(
                gather: {},
                store: { batch in
                    let recorded = try await fixture.store(batch)
                    let isFirst = calls.withLock { calls in
                        calls += 1
                        return calls == 1
                    }
                    if isFirst { throw PostgresError(.connectionLost, "the connection was lost") }
                    return recorded
                }
            )
            _ = try await recorder.record(Self.ended(fixture.attempts[0], 200))
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = [[200]]
            #expect(recorded == statuses)
            let count = calls.withLock { $0 }
            #expect(count == 2)
        }
    }

    // The attack: a tenant lets the row of its webhook be locked for long, as a deletion did. The attempts of all others in the batch go
    // unrecorded, and are made again.
    @Test func `a webhook that is locked holds up the records of no other`() async throws {
        try await Self.withAttempts(4) { fixture in
            let attempts = fixture.attempts
            let locked = attempts[0].webhook.id
            let recorder = OutcomeRecorder(store: { try await fixture.store($0) })
            try await fixture.mortise.withConnection(fixture.mortise.installation.control) { person in
                try await person.script(
                    "BEGIN; SELECT FROM control.webhooks WHERE id = '\(UUIDv7.text(of: locked))' FOR UPDATE"
                )
                try await withThrowingTaskGroup { group in
                    for attempt in attempts {
                        // A slow machine can give up the attempts of the locked webhook.
                        group.addTask { _ = try? await recorder.record(Self.ended(attempt, 200)) }
                    }
                    try await eventually("the attempts of the other webhook are recorded") {
                        let recorded = try await fixture.recorded()
                        let statuses: [[Int?]] = [[], [200], [], [200]]
                        return recorded == statuses
                    }
                    try await person.script("COMMIT")
                    try await group.waitForAll()
                }
            }
            // A repetition records those that were given up, and no other.
            let last = try await fixture.store(attempts.map { Self.ended($0, 200) })
            #expect(last.busy.isEmpty)
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = Array(repeating: [200], count: 4)
            #expect(recorded == statuses)
        }
    }

    @Test func `an attempt of a webhook that was locked is recorded with a later batch`() async throws {
        try await Self.withAttempts(2) { fixture in
            let webhook = fixture.attempts[0].webhook.id
            let calls = Locked(0)
            let recorder = OutcomeRecorder(
                gather: {},
                store: { batch in
                    let number = calls.withLock { calls in
                        calls += 1
                        return calls
                    }
                    if number <= 3 { return RecordedAttempts(busy: [webhook]) }
                    return try await fixture.store(batch)
                }
            )
            let failingSince = try await recorder.record(Self.ended(fixture.attempts[0], 500))
            #expect(failingSince == fixture.attempts[0].at)
            let recorded = try await fixture.recorded()
            let statuses: [[Int?]] = [[500], []]
            #expect(recorded == statuses)
        }
    }

    // The fault: the last failure of an old series is recorded after the success that ended it, and the webhook is disabled.
    @Test func `a failure that began before the last success does not count, in whatever order they are recorded`()
        async throws
    {
        try await Self.withAttempts(8) { fixture in
            // The attempts 0, 2, 4 and 6 are of one webhook, the others of another one.
            let attempts = fixture.attempts
            let (first, second) = (attempts[0].webhook.id, attempts[1].webhook.id)
            // A failure, a success that began after it, and a failure that began between the two.
            for (attempt, status) in [(attempts[0], 500), (attempts[4], 200), (attempts[2], 500)] {
                _ = try await fixture.store([Self.ended(attempt, status)])
            }
            // A failure that began after the success is recorded before it.
            for (attempt, status) in [(attempts[1], 500), (attempts[5], 500), (attempts[3], 200)] {
                _ = try await fixture.store([Self.ended(attempt, status)])
            }
            let states = try await fixture.states()
            #expect(states[first]?.failingSince == nil && states[first]?.succeededAt == attempts[4].at)
            #expect(states[second]?.succeededAt == attempts[3].at)
            let late = try await fixture.store([Self.ended(attempts[6], 500), Self.ended(attempts[7], 500)]).failing
            let expected = [first: attempts[6].at, second: attempts[7].at]
            #expect(late == expected)
        }
    }

    // The fault: a success is recorded between the record of the last failure of five days and the change that it leads to.
    @Test func `a webhook that has succeeded since is not disabled for its failures`() async throws {
        try await Self.withAttempts(6) { fixture in
            let attempts = fixture.attempts
            let webhook = attempts[0].webhook
            let platform = fixture.mortise.server.platform
            func disable() async throws -> Bool {
                try await platform.databases.control.pool.withConnection { connection in
                    try await connection.auditedTransaction { transaction in
                        try await WebhookWriter(transaction, fixture.mortise.installation.secrets)
                            .disable(
                                webhook.id,
                                organization: webhook.organizationID,
                                failingSince: attempts[0].at,
                                by: .system
                            )
                    }
                }
            }
            let failing = try await fixture.store([Self.ended(attempts[0], 500)]).failing
            #expect(failing[webhook.id] == attempts[0].at)
            _ = try await fixture.store([Self.ended(attempts[2], 200)])
            #expect(try await !disable())
            // A new series has begun later.
            _ = try await fixture.store([Self.ended(attempts[4], 500)])
            #expect(try await !disable())
            let path = "/v1/organizations/default/webhooks/\(UUIDv7.text(of: webhook.id))"
            let shown = try await fixture.mortise.api.get(path, as: fixture.mortise.adminToken)
            #expect(shown["enabled"] == true)
        }
    }
}
