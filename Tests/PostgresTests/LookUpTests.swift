import Logging
import Postgres
import TestSupport
import Testing

/// `PostgresPipeline`: one read-only connection that many tasks share.
@Suite(.hangLimit) struct LookUpTests {
    private static let divide = Statement("SELECT 100 / ($1::int8 % 10)")
    private static let echo = Statement("SELECT $1::int8")
    private static let now = Statement("SELECT clock_timestamp(), $1::int8")
    private static let hold = Statement("SELECT pg_advisory_xact_lock_shared($1::int8)")

    /// Runs `body` while the pipeline's connection waits for a lock, until `body` closes the connection that has the lock, or ends.
    private func whileHeld(
        _ fixture: Fixture,
        _ pipeline: PostgresPipeline,
        _ body: (_ blocker: PostgresConnection) async throws -> Void
    ) async throws {
        let blocker = try await fixture.connect()
        try await blocker.script("SELECT pg_advisory_lock(1)")
        let holder = Task { try await pipeline.query(Self.hold, [1], deadline: .ample) }
        try await fixture.waitUntilRunning("pg_advisory_xact_lock_shared")
        try await body(blocker)
        await blocker.close()
        _ = try await holder.value
    }

    /// The same, with so many look-ups waiting that those asked in `body` stay unwritten.
    private func whileFull(
        _ fixture: Fixture,
        _ pipeline: PostgresPipeline,
        _ body: (_ blocker: PostgresConnection) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await whileHeld(fixture, pipeline) { blocker in
                for number in 0..<900 {
                    group.addTask { _ = try await pipeline.query(Self.echo, [number], deadline: .ample) }
                }
                try await eventually("the window is full") {
                    let (joinable, waiting, written) = pipeline.backlog
                    return waiting >= 256 && joinable + waiting + written == 901
                }
                try await body(blocker)
            }
            try await group.waitForAll()
        }
    }

    @Test func `of 500 concurrent look-ups every tenth fails, and only those`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            let outcomes = await withTaskGroup(of: (Int, String).self) { group in
                for number in 0..<500 {
                    group.addTask {
                        do {
                            let rows = try await pipeline.query(Self.divide, [number])
                            return (
                                number, try rows[0].decode(0, as: Int.self) == 100 / (number % 10) ? "right" : "wrong"
                            )
                        } catch {
                            return (number, (error as? PostgresError)?.sqlState?.rawValue ?? "\(error)")
                        }
                    }
                }
                return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            for number in 0..<500 { #expect(outcomes[number] == (number % 10 == 0 ? "22012" : "right")) }
            await pipeline.shutdown()
        }
    }

    @Test func `when all fail each hears its own error, and the next look-up works`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            let failures = await withTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<600 {
                    group.addTask { await failure { try await pipeline.query(Self.divide, [number * 10]) } }
                }
                return await group.reduce(into: [PostgresError?]()) { $0.append($1) }
            }
            #expect(failures.allSatisfy { $0?.sqlState?.rawValue == "22012" })
            #expect(try await pipeline.query(Self.echo, [1])[0].decode(0, as: Int.self) == 1)
            await pipeline.shutdown()
        }
    }

    // A result under way can be older than the caller: a key revoked meanwhile would be accepted.
    @Test func `a look-up that is written already is not joined`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            let blocker = try await fixture.connect()
            try await blocker.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
            try await blocker.script("BEGIN; LOCK TABLE t")
            let look = Statement("SELECT clock_timestamp() FROM t")
            try await withThrowingTaskGroup(of: PostgresTimestamp.self) { group in
                group.addTask { try await pipeline.query(look)[0].decode(0) }
                try await fixture.waitUntilRunning("clock_timestamp() FROM t")
                group.addTask { try await pipeline.query(look)[0].decode(0) }
                await blocker.close()
                let times = try await group.reduce(into: Set<PostgresTimestamp>()) { $0.insert($1) }
                #expect(times.count == 2)
            }
            await pipeline.shutdown()
        }
    }

    @Test func `identical look-ups that are not yet written are sent once, others are not mixed up with them`()
        async throws
    {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            try await whileFull(fixture, pipeline) { blocker in
                let before = pipeline.backlog.joinable
                try await withThrowingTaskGroup(of: (Int, PostgresTimestamp).self) { group in
                    for number in 0..<300 {
                        group.addTask {
                            let row = try await pipeline.query(Self.now, [number % 3], deadline: .ample)[0]
                            let (time, echo) = try row.decode((PostgresTimestamp, Int).self)
                            #expect(echo == number % 3)
                            return (number % 3, time)
                        }
                    }
                    try await eventually("all are asked") { pipeline.backlog.joinable == before + 300 }
                    await blocker.close()
                    let times = try await group.reduce(into: [Int: Set<PostgresTimestamp>]()) {
                        $0[$1.0, default: []].insert($1.1)
                    }
                    #expect(times.mapValues(\.count) == [0: 1, 1: 1, 2: 1])
                }
            }
            await pipeline.shutdown()
        }
    }

    // Statements that are not prepared have no number: taking them for the same gave one caller another's rows.
    @Test func `look-ups that are not prepared are never joined`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let rows = try await pipeline.query(Statement("SELECT \(number)", prepared: false))
                        #expect(try rows[0].decode(0, as: Int.self) == number)
                    }
                }
                try await group.waitForAll()
            }
            await pipeline.shutdown()
        }
    }

    @Test func `joined callers keep their own deadlines, and one that leaves takes nobody along`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            try await whileFull(fixture, pipeline) { blocker in
                let before = pipeline.backlog.joinable
                let impatient = Task {
                    try await pipeline.query(Self.now, [1], deadline: .milliseconds(500).onThisMachine)
                }
                try await eventually("the first is asked") { pipeline.backlog.joinable == before + 1 }
                let leaver = Task { try await pipeline.query(Self.now, [1], deadline: .ample) }
                let patient = Task { try await pipeline.query(Self.now, [1], deadline: .ample) }
                try await eventually("the others have joined") { pipeline.backlog.joinable == before + 3 }
                leaver.cancel()
                #expect(await failure { try await leaver.value }?.code == .cancelled)
                #expect(await failure { try await impatient.value }?.code == .deadlineExceeded)
                await blocker.close()
                #expect(try await patient.value.count == 1)
            }
            await pipeline.shutdown()
        }
    }

    // The pipeline shares sync points, so a write there could be undone by a neighbour's failure after it was reported as done.
    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "CREATE TABLE u (a int)", "SELECT nextval('s')", "SELECT * FROM t FOR UPDATE",
    ])
    func `writes are refused`(sql: String) async throws {
        try await withFixture { fixture in
            try await fixture.connect().script("CREATE TABLE t (a int); CREATE SEQUENCE s")
            let pipeline = try fixture.pipeline()
            let error = await failure { try await pipeline.query(Statement(sql, prepared: false)) }
            #expect(error?.sqlState == .readOnlyTransaction)
            await pipeline.shutdown()
        }
    }

    @Test func `a slow look-up is ended by the server's statement_timeout, and its neighbours are answered`()
        async throws
    {
        try await withFixture { fixture in
            var configuration = fixture.configuration
            configuration.queryDeadline = .milliseconds(400).onThisMachine
            let pipeline = try fixture.pipeline(configuration)
            async let slow = failure {
                try await pipeline.query(Statement("SELECT pg_sleep(600)"), deadline: .ample)
            }
            try await fixture.waitUntilRunning("pg_sleep")
            async let neighbour = pipeline.query(Self.echo, [5], deadline: .ample)
            #expect(await slow?.sqlState == .queryCanceled)
            #expect(try await neighbour[0].decode(0, as: Int.self) == 5)
            await pipeline.shutdown()
        }
    }

    @Test func `callers that ran out of time leave, and the connection stays for the others`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            try await whileHeld(fixture, pipeline) { _ in
                async let head = failure {
                    try await pipeline.query(Self.hold, [1], deadline: .milliseconds(100).onThisMachine)
                }
                let behind = await failure {
                    try await pipeline.query(Self.echo, [1], deadline: .milliseconds(100).onThisMachine)
                }
                #expect(behind?.code == .deadlineExceeded)
                #expect(await head?.code == .deadlineExceeded)
                let task = Task { try await pipeline.query(Self.echo, [2]) }
                task.cancel()
                #expect(await failure { try await task.value }?.code == .cancelled)
            }
            #expect(try await pipeline.query(Self.echo, [3])[0].decode(0, as: Int.self) == 3)
            #expect(pipeline.isConnected)
            await pipeline.shutdown()
        }
    }

    @Test func `at shutdown everybody is told that it is closed`() async throws {
        try await withFixture { fixture in
            let pipeline = try fixture.pipeline()
            let blocker = try await fixture.connect()
            try await blocker.script("SELECT pg_advisory_lock(1)")
            async let waiting = failure { try await pipeline.query(Self.hold, [1], deadline: .ample) }
            try await fixture.waitUntilRunning("pg_advisory_xact_lock_shared")
            await pipeline.shutdown()
            #expect(await waiting?.code == .closed)
            #expect(await failure { try await pipeline.query(Self.echo, [1]) }?.code == .closed)
            #expect(!pipeline.isConnected)
        }
    }
}
