import Dispatch
import Glibc
import Logging
import Postgres
import TestSupport
import Testing

/// Look-ups whose session ends or freezes under them.
@Suite(.hangLimit) struct LookUpRecoveryTests {
    private static let echo = Statement("SELECT $1::int8")
    private static let process = Statement("SELECT pg_backend_pid()")
    private static let hold = Statement("SELECT pg_advisory_xact_lock_shared($1::int8)")

    // An administrator ends a session, or a load balancer does: seventy requests failed for five sessions.
    @Test func `a look-up whose session is ended is sent once more on a new session`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                let blocker = try await fixture.connect()
                try await blocker.script("SELECT pg_advisory_lock(1)")
                let waiting = (0..<20).map { _ in Task { try await pipeline.query(Self.hold, [1], deadline: .ample) } }
                try await fixture.waitUntilRunning("pg_advisory_xact_lock_shared")
                try await blocker.script(
                    """
                    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """
                )
                try await fixture.waitUntilRunning("pg_advisory_xact_lock_shared")
                await blocker.close()
                for task in waiting { _ = try await task.value }
                #expect(pipeline.statistics.connectionAttempts == 2)
            }
        }
    }

    // The second attempt is the last one: a server that ends every session must not be asked for ever.
    @Test func `a look-up is not sent a third time`() async throws {
        try await withFixture { fixture in
            try await fixture.withPipeline { pipeline in
                let error = await failure {
                    try await pipeline.query(Statement("SELECT pg_terminate_backend(pg_backend_pid())"))
                }
                #expect(error?.sqlState == .adminShutdown || error?.code == .connectionLost)
                #expect(pipeline.statistics.connectionAttempts == 2)
                _ = try await pipeline.query(Self.echo, [1])
            }
        }
    }

    // A server process can stop without a word: it is paused, or its storage hangs. A new one works at once.
    @Test func `a frozen session costs a look-up no more than its silence`() async throws {
        try await withServer { server, _ in
            let pipeline = PostgresPipeline(
                server.configuration(),
                reactors: [try TestReactor.shared],
                // A first answer that takes longer would make the first session a frozen one.
                silence: .seconds(2).onThisMachine,
                logger: LogCollector().logger
            )
            let process = try await pipeline.query(Self.process)[0].decode(0, as: Int32.self)
            try #require(kill(process, SIGSTOP) == 0)
            // Its deadline is out of reach, so nothing but the silence can end the wait.
            let answer = try await pipeline.query(Self.echo, [7], deadline: .ample)
            #expect(try answer[0].decode(0, as: Int.self) == 7)
            #expect(pipeline.statistics.connectionAttempts == 2)
            #expect(kill(process, SIGCONT) == 0)
            await pipeline.shutdown()
        }
    }

    // The fault: the alert of a server that answers nobody did not fire, because an attempt to connect counted as a connection.
    @Test func `an attempt to connect is no connection that answers`() async throws {
        let listener = try SilentListener()
        var configuration = try listener.configuration()
        configuration.connectDeadline = .ample
        let pipeline = PostgresPipeline(
            configuration,
            reactors: [try TestReactor.shared],
            logger: LogCollector().logger
        )
        async let asked = failure { try await pipeline.query(Self.echo, [1], deadline: .ample) }
        try await listener.accept()
        #expect(pipeline.isConnected)
        #expect(!pipeline.isAnswering)
        await pipeline.shutdown()
        #expect(await asked?.code == .closed)
        #expect(!pipeline.isAnswering)
        try await listener.waitForHangUp()
    }

    // The session that replaces a frozen one is patient, and stays open for longer than the silence.
    @Test func `a session whose look-up has waited for the time of a silence does not count as answering`() async throws
    {
        try await withFixture { fixture in
            let pipeline = PostgresPipeline(
                fixture.configuration,
                reactors: [try TestReactor.shared],
                silence: .milliseconds(200).onThisMachine,
                logger: fixture.log.logger
            )
            #expect(!pipeline.isAnswering)
            _ = try await pipeline.query(Self.echo, [1], deadline: .ample)
            #expect(pipeline.isAnswering)
            let blocker = try await fixture.connect()
            try await blocker.script("SELECT pg_advisory_lock(1)")
            let waiting = Task { try await pipeline.query(Self.hold, [1], deadline: .ample) }
            try await eventually("the server counts as silent") { !pipeline.isAnswering }
            await blocker.close()
            _ = try await waiting.value
            #expect(pipeline.isAnswering)
            await pipeline.shutdown()
        }
    }

    // A process that is paused, or a machine that sleeps, wakes up with answers in its sockets and all deadlines in the past.
    @Test func `an answer that came before the deadline counts, however late the thread looks`() async throws {
        try await withFixture { fixture in
            // On a machine so busy that the answer comes too late, the next attempt has more time.
            var deadline = Duration.seconds(3).onThisMachine
            while try await !looksLate(fixture, deadline) { deadline = deadline * 2 }
        }
    }

    /// Blocks the thread of a connection until the deadline of a query has passed, while the answer arrives before it.
    ///
    /// - Returns: False if the answer did not arrive before the deadline, so that nothing was shown.
    private func looksLate(_ fixture: Fixture, _ deadline: Duration) async throws -> Bool {
        try await Reactor.with { reactor in
            let connection = try await PostgresConnection.connect(
                fixture.configuration,
                reactor: reactor,
                logger: fixture.log.logger
            )
            let blocker = try await fixture.connect()
            try await blocker.script("SELECT pg_advisory_lock(1)")
            let start = ContinuousClock.now
            let query = Task { try await connection.query(Self.hold, [1], deadline: deadline) }
            try await eventually("the query waits, or is over") {
                if ContinuousClock.now - start >= deadline { return true }
                return try await fixture.isRunning("pg_advisory_xact_lock_shared")
            }
            let (isBlocked, isOver) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            // A failure on the way must not leave the reactor blocked.
            defer { isOver.signal() }
            let pause = Task(executorPreference: reactor) { Self.block(isBlocked, until: isOver) }
            await Task.detached { Self.wait(isBlocked) }.value
            await blocker.close()
            try await fixture.waitUntilRunning("pg_advisory_xact_lock_shared", false)
            // The server sends the answer a moment after it shows that the statement has ended.
            let isInTime = ContinuousClock.now - start < deadline * 4 / 5
            try await eventually("the deadline has passed") {
                ContinuousClock.now - start > deadline + .milliseconds(100)
            }
            isOver.signal()
            let outcome = await query.result
            if isInTime { _ = try outcome.get() }
            await pause.value
            await connection.close()
            return isInTime
        }
    }

    private static func block(_ isBlocked: DispatchSemaphore, until isOver: DispatchSemaphore) {
        isBlocked.signal()
        isOver.wait()
    }

    private static func wait(_ semaphore: DispatchSemaphore) { semaphore.wait() }

    // libpq takes a session that is read-only by its own setting for one of a standby, and would find no server.
    @Test func `look-ups find the primary with target_session_attrs=read-write, also among several hosts`() async throws
    {
        try await withFixture { fixture in
            var configuration = fixture.configuration
            configuration.parameters["target_session_attrs"] = "read-write"
            for hosts in [configuration.parameters["host"], configuration.parameters["host"].map { "/nowhere,\($0)" }] {
                configuration.parameters["host"] = hosts
                try await fixture.withPipeline(configuration) { pipeline async throws in
                    #expect(try await pipeline.query(Self.echo, [3])[0].decode(0, as: Int.self) == 3)
                }
            }
        }
    }
}
