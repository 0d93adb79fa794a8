import Logging
import Postgres
import TestSupport
import Testing

/// `PostgresPipeline` on a real server.
@Suite(.hangLimit) struct LookUpTests {
    private static let divide = Statement("SELECT 100 / ($1::int8 % 10)")
    private static let echo = Statement("SELECT $1::int8")
    private static let now = Statement("SELECT clock_timestamp(), $1::int8")
    private static let hold = Statement("SELECT pg_advisory_xact_lock_shared($1::int8)")

    /// Runs `body` while the connection of the pipeline waits for a lock.
    ///
    /// The wait ends when `body` closes the connection that has the lock, or returns.
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

    /// Runs `body` while the connection of the pipeline waits for a lock and its window is full.
    ///
    /// So the look-ups that `body` submits are not written.
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

    @Test func `of 500 concurrent look-ups only those fail that have an error`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                let outcomes = await withTaskGroup(of: (Int, String).self) { group in
                    for number in 0..<500 {
                        group.addTask {
                            do {
                                let rows = try await pipeline.query(Self.divide, [number])
                                return (
                                    number,
                                    try rows[0].decode(0, as: Int.self) == 100 / (number % 10) ? "right" : "wrong"
                                )
                            } catch {
                                return (number, (error as? PostgresError)?.sqlState?.rawValue ?? "\(error)")
                            }
                        }
                    }
                    return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
                }
                for number in 0..<500 { #expect(outcomes[number] == (number % 10 == 0 ? "22012" : "right")) }
            }
        }
    }

    @Test func `if all look-ups fail, each caller gets its own error, and the next look-up works`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                let failures = await withTaskGroup(of: PostgresError?.self) { group in
                    for number in 0..<600 {
                        group.addTask { await failure { try await pipeline.query(Self.divide, [number * 10]) } }
                    }
                    return await group.reduce(into: [PostgresError?]()) { $0.append($1) }
                }
                #expect(failures.allSatisfy { $0?.sqlState?.rawValue == "22012" })
                let echo = try await pipeline.query(Self.echo, [1])[0].decode(0, as: Int.self)
                #expect(echo == 1)
            }
        }
    }

    // A result on its way can be older than the caller: a key that was revoked in between would be accepted.
    @Test func `a look-up that is written is not joined`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
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
            }
        }
    }

    @Test func `identical look-ups that are not written yet are sent once, and different ones are not joined`()
        async throws
    {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
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
                        try await eventually("all look-ups are submitted") { pipeline.backlog.joinable == before + 300 }
                        await blocker.close()
                        let times = try await group.reduce(into: [Int: Set<PostgresTimestamp>]()) {
                            $0[$1.0, default: []].insert($1.1)
                        }
                        #expect(times.mapValues(\.count) == [0: 1, 1: 1, 2: 1])
                    }
                }
            }
        }
    }

    // The attack: thousands of checks of one token while the server hangs. They were joined without a bound, and took half a gigabyte.
    @Test func `joined callers count as waiting ones, and those beyond the bound are refused at once`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                try await whileFull(fixture, pipeline) { blocker in
                    let outcomes = try await withThrowingTaskGroup(of: PostgresError?.self) { group in
                        for _ in 0..<12_000 {
                            group.addTask {
                                await failure { try await pipeline.query(Self.now, [1], deadline: .ample) }
                            }
                        }
                        // While the connection is full, nothing ends but what is refused.
                        let first = try #require(try await group.next())
                        #expect(first?.code == .queueFull)
                        await blocker.close()
                        return try await group.reduce(into: [first]) { $0.append($1) }
                    }
                    let refused = outcomes.compactMap(\.self)
                    #expect(refused.count >= 12_000 - 2 * 4096 - 512)
                    #expect(refused.allSatisfy { $0.code == .queueFull && !$0.wasSent })
                }
            }
        }
    }

    // Statements that are not prepared have no number. When they were taken for identical, a caller got the rows of another one.
    @Test func `look-ups that are not prepared are never joined`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            let rows = try await pipeline.query(Statement("SELECT \(number)", prepared: false))
                            #expect(try rows[0].decode(0, as: Int.self) == number)
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func `joined callers keep their own deadlines, and a caller that leaves does not affect the others`()
        async throws
    {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                try await whileFull(fixture, pipeline) { blocker in
                    let before = pipeline.backlog.joinable
                    let impatient = Task {
                        // The other callers join before it has passed.
                        try await pipeline.query(Self.now, [1], deadline: .seconds(2).onThisMachine)
                    }
                    try await eventually("the first look-up is submitted") { pipeline.backlog.joinable == before + 1 }
                    let leaver = Task { try await pipeline.query(Self.now, [1], deadline: .ample) }
                    let patient = Task { try await pipeline.query(Self.now, [1], deadline: .ample) }
                    try await eventually("the other callers have joined") { pipeline.backlog.joinable == before + 3 }
                    leaver.cancel()
                    #expect(await failure { try await leaver.value }?.code == .cancelled)
                    #expect(await failure { try await impatient.value }?.code == .deadlineExceeded)
                    await blocker.close()
                    #expect(try await patient.value.count == 1)
                }
            }
        }
    }

    // The statements of a pipeline share sync points, so the failure of a neighbor could undo a write after it was reported as done.
    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "CREATE TABLE u (a int)", "SELECT nextval('s')", "SELECT * FROM t FOR UPDATE",
    ])
    func `a pipeline refuses writes`(sql: String) async throws {
        try await withFixture { fixture in
            try await fixture.connect().script("CREATE TABLE t (a int); CREATE SEQUENCE s")
            try await fixture.withPipeline { pipeline in
                let error = await failure { try await pipeline.query(Statement(sql, prepared: false)) }
                #expect(error?.sqlState == .readOnlyTransaction)
            }
        }
    }

    @Test func `the server's statement_timeout ends a slow look-up, and its neighbors are answered`()
        async throws
    {
        try await withFixture { fixture in
            var configuration = fixture.configuration
            configuration.queryDeadline = .seconds(1).onThisMachine
            try await fixture.withPipeline(configuration) { pipeline in
                async let slow = failure {
                    try await pipeline.query(Statement("SELECT pg_sleep(600)"), deadline: .ample)
                }
                // The server can end the look-up before an observer sees it run.
                try await eventually("the slow look-up is submitted") { pipeline.statistics.lookUps == 1 }
                async let neighbor = pipeline.query(Self.echo, [5], deadline: .ample)
                #expect(await slow?.sqlState == .queryCanceled)
                #expect(try await neighbor[0].decode(0, as: Int.self) == 5)
            }
        }
    }

    @Test func `a look-up past its deadline ends for its caller, and the connection stays for the others`() async throws
    {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
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
            }
        }
    }

    @Test func `at shutdown all callers of a pipeline get closed`() async throws {
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

    // Attack (rule 21 of decision 0014): a standby answers the look-up, and the question after it was promoted.
    @Test func `a session answers the question of its pipeline once, before its first look-up is sent`() async throws {
        try await withFixture { fixture in
            let question = SessionQuestion(
                Statement(
                    "SELECT set_config('test.asked', coalesce(current_setting('test.asked', true), '') || '+', false)"
                )
            ) { _ throws(PostgresError) in SessionMark(7) }
            let pipeline = PostgresPipeline(
                fixture.configuration,
                reactors: [try TestReactor.shared],
                question: question,
                logger: fixture.log.logger
            )
            try await withResource(
                pipeline,
                { pipeline in
                    for _ in 0..<2 {
                        let answer = try await pipeline.answer(Statement("SELECT current_setting('test.asked', true)"))
                        let asked = try answer.rows[0].decode(0, as: String?.self)
                        #expect(asked == "+")
                        #expect(answer.mark == SessionMark(7))
                    }
                },
                close: { await $0.shutdown() }
            )
        }
    }

    @Test func `the statistics count look-ups, joined ones, flushes and statements that were sent again`() async throws
    {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                try await whileFull(fixture, pipeline) { blocker in
                    let before = pipeline.backlog.joinable
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<20 {
                            group.addTask { _ = try await pipeline.query(Self.now, [1], deadline: .ample) }
                        }
                        try await eventually("all look-ups are submitted") { pipeline.backlog.joinable == before + 20 }
                        await blocker.close()
                        try await group.waitForAll()
                    }
                }
                let statistics = pipeline.statistics
                #expect(statistics.lookUps == 921)
                #expect(statistics.joined == 19)
                #expect(statistics.flushes > 1 && statistics.flushes < 902)
                #expect(statistics.connectionAttempts == 1)
                #expect(statistics.repeated == 0)
                _ = await failure { try await pipeline.query(Self.divide, [10]) }
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<100 {
                        group.addTask { _ = await failure { try await pipeline.query(Self.divide, [number]) } }
                    }
                }
                #expect(pipeline.statistics.lookUps == 1022)
            }
        }
    }
}
