import FoundationEssentials
import Glibc
import Logging
import Postgres
import TestSupport
import Testing

/// PgBouncer in transaction mode.
///
/// `docs/postgres.md` has a table of these guarantees.
@Suite(.hangLimit) struct PgBouncerTests {
    private static let programs = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]

    /// Runs `body` with a server and with a PgBouncer that has two connections to the server.
    ///
    /// Without an installed PgBouncer, this records a warning instead.
    private func withPgBouncer(
        settings: String = "",
        preparing sql: String = "",
        _ body: (_ direct: PostgresConfiguration, _ pooled: PostgresConfiguration) async throws -> Void
    ) async throws {
        guard let program = Self.programs.first(where: { access($0, X_OK) == 0 }) else {
            Issue.record("PgBouncer is not installed: what works through it is not tested here", severity: .warning)
            return
        }
        let server = try await PlainServer.start(hostRules: ["local all all trust"])
        try await server.use { server in
            try await connect(server.configuration()).script(sql)
            let port = server.port == 31_999 ? 20_000 : server.port + 1
            // PgBouncer ends the wait of a client after 120 s (its manual, query_wait_timeout). Here two connections serve all, and
            // on a busy machine that takes longer.
            let configuration = """
                [databases]
                * = host=\(server.folder) port=\(server.port)
                [pgbouncer]
                listen_addr =
                unix_socket_dir = \(server.folder)
                listen_port = \(port)
                auth_type = any
                pool_mode = transaction
                default_pool_size = 2
                query_wait_timeout = 0
                pidfile = \(server.folder)/data/pgbouncer.pid
                logfile = \(server.folder)/data/pgbouncer.log
                \(settings)
                """
            // A wildcard database needs a fixed user if the authentication is `any`.
            let text = configuration.replacing("port=\(server.port)\n", with: "port=\(server.port) user=postgres\n")
            try text.write(toFile: "\(server.folder)/pgbouncer.ini", atomically: false, encoding: .utf8)
            try await server.asOwner("\(program) -q -d \(server.folder)/pgbouncer.ini")
            var pooled = try PostgresConfiguration("host=\(server.folder) port=\(port) user=postgres dbname=postgres")
            pooled.usesPreparedStatements = false
            pooled.connectDeadline = .ample
            pooled.queryDeadline = .ample
            try await withResource(server) { server in
                try await eventually("PgBouncer answers") { await failure { try await connect(pooled) } == nil }
                try await body(try server.configuration(), pooled)
            } close: { server in
                try await server.asOwner("sh -c 'kill -9 $(cat \(server.folder)/data/pgbouncer.pid)'")
            }
        }
    }

    private func withPipeline(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresPipeline) async throws -> Void
    ) async throws {
        try await PostgresPipeline.with(
            configuration,
            reactors: [try TestReactor.shared],
            logger: LogCollector().logger,
            body
        )
    }

    private func connect(_ configuration: PostgresConfiguration) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            configuration,
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        )
    }

    @Test func `statements, scripts, transactions, COPY, cancellation and pools work through PgBouncer`() async throws {
        try await withPgBouncer { direct, pooled in
            let connection = try await connect(pooled)
            let observer = try await connect(direct)
            try await connection.script("CREATE TABLE t (a int8 PRIMARY KEY); INSERT INTO t VALUES (0)")
            let insert = Statement("INSERT INTO t VALUES ($1)")
            await withTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<200 {
                    group.addTask { await failure { try await connection.query(insert, [number / 2]) } }
                }
                let refused = await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
                #expect(refused.count == 101)
                #expect(refused.allSatisfy { $0.sqlState == .uniqueViolation })
            }
            _ = try await connection.transaction { try await $0.query(insert, [1000]) }
            let rolledBack = await failure {
                try await connection.transaction { connection in
                    try await connection.query(insert, [1001])
                    try await connection.script("SELECT 1 / 0")
                }
            }
            #expect(rolledBack?.sqlState?.rawValue == "22012")
            let chunks = AsyncThrowingStream<[UInt8], any Error> { stream in
                for number in 2000..<2500 { stream.yield(Array("\(number)\n".utf8)) }
                stream.finish()
            }
            #expect(try await connection.copyIn("COPY t FROM STDIN", chunks) == 500)
            #expect(try await observer.number("SELECT count(*) FROM t") == 601)
            let late = await failure {
                try await connection.query(
                    Statement("SELECT pg_sleep(600)"),
                    deadline: .milliseconds(300).onThisMachine
                )
            }
            #expect(late?.code == .deadlineExceeded)
            #expect(try await connection.number("SELECT 1::int8") == 1)
            try await usePool(pooled)
        }
    }

    private func usePool(_ pooled: PostgresConfiguration) async throws {
        try await PostgresPool.with(
            pooled,
            options: PostgresPoolOptions(maximumConnections: 6, leaseDeadline: .ample),
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        ) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let echo = try await pool.transaction { connection in
                            try await connection.query(Statement("SELECT $1::int8"), [number])[0]
                                .decode(0, as: Int.self)
                        }
                        #expect(echo == number)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    // Two clients share two server connections, so a statement often runs where the statement of another client was prepared.
    @Test func `prepared statements fail through PgBouncer instead of executing another statement`() async throws {
        try await withPgBouncer(settings: "server_reset_query_always = 0") { _, pooled in
            var preparing = pooled
            preparing.usesPreparedStatements = true
            let first = try await connect(preparing)
            let second = try await connect(preparing)
            // Both clients name their statement "m1".
            _ = try await first.query(Statement("SELECT 'first', $1"), [1])
            let error = await failure {
                // This runs on the same server connection, because PgBouncer lends only the one that is not in a transaction.
                try await second.query(Statement("SELECT 'second', $1"), [2])
            }
            #expect(error?.sqlState?.rawValue == "42P05")
        }
    }

    @Test func `PgBouncer refuses settings, and no pipeline opens if PgBouncer drops them`() async throws {
        try await withPgBouncer { _, pooled in
            let refused = await failure { try await connect(pooled.setting("statement_timeout", "1000")) }
            #expect(refused?.code == .connectFailed)
            try await withPipeline(pooled) { pipeline in
                #expect(await failure { try await pipeline.query(Statement("SELECT 1")) }?.code == .connectFailed)
            }
        }
        // Without default_transaction_read_only the server accepts writes, which the failure of a neighbor could undo after they were
        // reported.
        try await withPgBouncer(settings: "ignore_startup_parameters = options") { _, pooled in
            try await withPipeline(pooled) { pipeline in
                let error = await failure {
                    try await pipeline.query(Statement("CREATE TABLE t (a int)", prepared: false))
                }
                #expect(error?.code == .invalidConfiguration)
            }
        }
    }

    @Test func `a pipeline works for a role whose own setting is read-only`() async throws {
        try await withPgBouncer(
            settings: "ignore_startup_parameters = options",
            preparing: "ALTER ROLE postgres SET default_transaction_read_only = on"
        ) { _, pooled in
            try await withPipeline(pooled) { pipeline in
                let rows = try await pipeline.query(Statement("SELECT $1::int8"), [5])
                #expect(try rows[0].decode(0, as: Int.self) == 5)
                let error = await failure {
                    try await pipeline.query(Statement("CREATE TABLE t (a int)", prepared: false))
                }
                #expect(error?.sqlState == .readOnlyTransaction)
            }
        }
    }

    @Test func `an idle connection that listens receives no notification`() async throws {
        try await withPgBouncer { direct, pooled in
            let listener = try await connect(pooled)
            let sender = try await connect(direct)
            let other = try await connect(pooled)
            try await listener.listen("channel")
            for _ in 0..<20 {
                try await sender.script("NOTIFY channel, 'lost'")
                // PgBouncer lends the server connection that listens to other clients.
                #expect(try await other.number("SELECT 1::int8") == 1)
            }
            await listener.close()
            var received = 0
            for await _ in listener.notifications { received += 1 }
            #expect(received == 0)
        }
    }
}
