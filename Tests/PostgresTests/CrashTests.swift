import LocalPostgres
import Logging
import Postgres
import TestSupport
import Testing

/// A server that is killed: every caller gets an answer, and pools and pipelines work again after the restart.
@Suite(.hangLimit) struct CrashTests {
    private static let echo = Statement("SELECT $1::int8")
    private static let sleep = Statement("SELECT pg_sleep(600), $1::int8")

    private func connect(_ server: TestServer) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            server.configuration(),
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        )
    }

    /// Runs `body` with a connection, a pool and a pipeline.
    private func withClients(
        of server: TestServer,
        _ body: (PostgresConnection, PostgresPool, PostgresPipeline) async throws -> Void
    ) async throws {
        let reactor = try TestReactor.shared
        let logger = LogCollector().logger
        let connection = try await connect(server)
        let options = PostgresPoolOptions(maximumConnections: 4)
        try await PostgresPool.with(server.configuration(), options: options, reactor: reactor, logger: logger) {
            pool in
            try await PostgresPipeline.with(server.configuration(), reactors: [reactor], logger: logger) { pipeline in
                try await body(connection, pool, pipeline)
            }
        }
    }

    /// Waits until this number of sessions sleep.
    private func waitForSleepers(_ count: Int, on server: TestServer) async throws {
        let observer = try await connect(server)
        let sleepers = Statement(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        )
        try await eventually("\(count) statements run") {
            try await observer.query(sleepers)[0].decode(0, as: Int.self) == count
        }
        await observer.close()
    }

    @Test
    func
        `after a crash in the middle of statements and look-ups all callers get an error, and pool and pipeline recover`()
        async throws
    {
        try await withServer { server, local in
            try await withClients(of: server) { connection, pool, pipeline in
                try await withThrowingTaskGroup(of: PostgresError?.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            await failure { try await connection.query(Self.sleep, [number], deadline: .ample) }
                        }
                        group.addTask {
                            await failure { try await pipeline.query(Self.sleep, [number], deadline: .ample) }
                        }
                    }
                    for number in 0..<4 {
                        group.addTask {
                            await failure { try await pool.query(Self.sleep, [number], deadline: .ample) }
                        }
                    }
                    try await waitForSleepers(6, on: server)
                    try await local.kill9()
                    for try await error in group {
                        #expect(error?.code == .connectionLost || error?.sqlState == .adminShutdown)
                    }
                }
                #expect(!connection.isUsable)
                #expect(await failure { try await pool.query(Self.echo, [1]) }?.code == .connectFailed)
                #expect(await failure { try await pipeline.query(Self.echo, [1]) }?.code == .connectFailed)
                try await local.start()
                try await eventually("the pipeline works again") {
                    await failure { try await pipeline.query(Self.echo, [1]) } == nil
                }
                try await eventually("the pool works again") {
                    await failure { try await pool.query(Self.echo, [1]) } == nil
                }
                let rows = try await pipeline.query(Self.echo, [7])
                #expect(try rows[0].decode(0, as: Int.self) == 7)
            }
        }
    }

    @Test func `a crash is noticed while idle, and the first call after the restart works`() async throws {
        try await withServer { server, local in
            try await withClients(of: server) { connection, pool, pipeline in
                try await pool.query(Self.echo, [1])
                _ = try await pipeline.query(Self.echo, [1])
                try await local.kill9()
                try await eventually("all notice the loss") {
                    !connection.isUsable && !pipeline.isConnected && pool.usage.open == 0
                }
                try await local.start()
                _ = try await pipeline.query(Self.echo, [2])
                try await pool.query(Self.echo, [2])
                #expect(await failure { try await connection.query(Self.echo, [2]) }?.code == .connectionLost)
            }
        }
    }

    @Test func `after a crash in the middle of a COPY its caller gets an error, and no row stays`() async throws {
        try await withServer(settings: ["synchronous_commit": "on"]) { server, local in
            let connection = try await connect(server)
            try await connection.script("CREATE TABLE t (a int)")
            let (asked, ask) = AsyncStream<Void>.makeStream()
            let (source, sink) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
            let task = Task {
                ask.finish()
                return try await connection.copyIn("COPY t FROM STDIN", source)
            }
            for await _ in asked {}
            for number in 0..<1000 { sink.yield(Array("\(number)\n".utf8)) }
            try await local.kill9()
            try await eventually("the loss is noticed") { !connection.isUsable }
            sink.yield(Array("1\n".utf8))
            sink.finish()
            #expect(await failure { try await task.value }?.code == .connectionLost)
            try await local.start()
            let again = try await connect(server)
            #expect(try await again.number("SELECT count(*) FROM t") == 0)
        }
    }

    @Test func `after a crash in the middle of a transaction no row of it stays`() async throws {
        try await withServer(settings: ["synchronous_commit": "on"]) { server, local in
            let connection = try await connect(server)
            try await connection.script("CREATE TABLE t (a int)")
            let error = await failure {
                try await connection.transaction { connection in
                    try await connection.query(Statement("INSERT INTO t VALUES (1)"))
                    try await local.kill9()
                    try await eventually("the loss is noticed") { !connection.isUsable }
                }
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.wasSent == false)
            try await local.start()
            let again = try await connect(server)
            #expect(try await again.number("SELECT count(*) FROM t") == 0)
        }
    }

    // The system gives the number of a closed socket to the next one at once. Code that still uses the number acts on another connection.
    @Test func `connections that break do not affect connections that are opened at the same time`() async throws {
        try await withFixture { fixture in
            let end = Statement("SELECT pg_terminate_backend(pg_backend_pid())", prepared: false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<24 {
                    group.addTask {
                        for number in 0..<40 {
                            let connection = try await fixture.connect()
                            #expect(
                                try await connection.query(Self.echo, [number])[0].decode(0, as: Int.self) == number
                            )
                            let error = await failure { try await connection.query(end) }
                            #expect(error?.sqlState == .adminShutdown || error?.code == .connectionLost)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    // A caller that gets no answer blocks its own caller, and so on up to the client.
    @Test func `if server processes end at random under load, every call gets an answer, and no wrong one`()
        async throws
    {
        try await withFixture { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 4, leaseDeadline: .ample)) {
                pool in
                try await fixture.withPipeline { pipeline in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for worker in 0..<16 {
                            group.addTask {
                                for number in 0..<150 {
                                    let value = worker * 1000 + number
                                    do {
                                        let rows =
                                            worker % 2 == 0
                                            ? try await pool.query(Self.echo, [value])
                                            : try await pipeline.query(Self.echo, [value])
                                        #expect(try rows[0].decode(0, as: Int.self) == value)
                                    } catch let error as PostgresError {
                                        let expected: Set<PostgresError.Code> = [
                                            .connectionLost, .connectFailed, .server, .poolTimedOut,
                                        ]
                                        #expect(expected.contains(error.code), "\(error)")
                                        #expect(error.code != .server || error.sqlState == .adminShutdown)
                                    }
                                }
                            }
                        }
                        group.addTask {
                            for _ in 0..<20 {
                                try await administer(
                                    """
                                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                                    WHERE datname = '\(fixture.configuration.database ?? "")' AND random() < 0.5
                                    """
                                )
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await eventually("the pool works") {
                        await failure { try await pool.query(Self.echo, [1]) } == nil
                    }
                    try await eventually("the pipeline works") {
                        await failure { try await pipeline.query(Self.echo, [1]) } == nil
                    }
                }
            }
        }
    }
}
