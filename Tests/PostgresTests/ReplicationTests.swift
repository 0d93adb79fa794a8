import LocalPostgres
import Postgres
import TestSupport
import Testing

/// The meaning of an answer to a commit where a synchronous standby exists.
@Suite(.hangLimit) struct ReplicationTests {
    /// The ways to commit a row.
    enum Commit: CaseIterable {
        case transaction, statement, script
    }

    private func withTable(_ body: (ReplicatedServer, Fixture) async throws -> Void) async throws {
        try await withReplicatedServer { server in
            let fixture = Fixture(
                configuration: server.primary.configuration().setting("synchronous_commit", "on")
            )
            try await fixture.connect().script("CREATE TABLE t (a int PRIMARY KEY)")
            try await body(server, fixture)
        }
    }

    private func insert(_ number: Int, _ connection: PostgresConnection, by commit: Commit = .transaction) async throws
    {
        let statement = Statement("INSERT INTO t VALUES ($1)")
        switch commit {
        case .transaction: try await connection.transaction { try await $0.query(statement, [number]) }
        case .statement: try await connection.query(statement, [number])
        case .script: try await connection.script("INSERT INTO t VALUES (\(number))")
        }
    }

    // Anybody who may cancel a statement ends the wait, and PostgreSQL then answers with success. Trusted, the change is lost with the
    // primary.
    @Test(arguments: Commit.allCases)
    func `a commit whose wait for the standby somebody cancels is no success`(commit: Commit) async throws {
        try await withTable { server, fixture in
            let connection = try await fixture.connect()
            try await insert(1, connection, by: commit)
            await server.standbyProcess.stop()
            let error = try await server.cancellingWaits {
                await failure { try await insert(2, connection, by: commit) }
            }
            #expect(error?.code == .commitOutcomeUnknown)
            // It is visible here all the same, so the connection is as good as before.
            #expect(try await connection.number("SELECT count(*) FROM t") == 2)
        }
    }

    // Attack on ourselves: a deadline that cancels the COMMIT turns "no standby has it" into "done".
    @Test func `an overdue commit is not cancelled, and its caller learns that the outcome is unknown`() async throws {
        try await withTable { server, fixture in
            await server.standbyProcess.stop()
            var configuration = fixture.configuration
            configuration.queryDeadline = .seconds(1).onThisMachine
            let hasty = try await fixture.connect(configuration)
            let error = await failure {
                try await hasty.transaction {
                    try await $0.query(Statement("INSERT INTO t VALUES (1)"), deadline: .ample)
                }
            }
            #expect(error?.code == .commitOutcomeUnknown)
            #expect(!hasty.isUsable)
            // The server still waits. A cancelled wait would have ended.
            try await server.waitForCommits()
            #expect(try await server.waitingCommits == 1)
            try await server.standbyProcess.start()
            try await eventually("the server answers") { try await server.waitingCommits == 0 }
            try await server.promoteStandby()
            let standby = try await fixture.connect(try await server.standby())
            #expect(try await standby.number("SELECT count(*) FROM t") == 1)
        }
    }

    // While a standby is gone, every change leaves a session that waits. They must not use up the server's connections, nor those for
    // reads.
    @Test func `commits that wait for a standby are bounded, and reads go on beside them`() async throws {
        try await withTable { server, fixture in
            await server.standbyProcess.stop()
            var configuration = fixture.configuration
            configuration.queryDeadline = .seconds(1).onThisMachine
            let pool = PostgresPool(
                configuration,
                options: PostgresPoolOptions(maximumConnections: 2, leaseDeadline: .ample),
                reactor: try TestReactor.shared,
                logger: fixture.log.logger
            )
            var codes: [PostgresError.Code?] = []
            for number in 0..<6 {
                let error = await failure {
                    try await pool.transaction {
                        try await $0.query(Statement("INSERT INTO t VALUES ($1)"), [number], deadline: .ample)
                    }
                }
                codes.append(error?.code)
            }
            #expect(codes == Array(repeating: .commitOutcomeUnknown, count: 2) + Array(repeating: .queueFull, count: 4))
            try await server.waitForCommits(2)
            #expect(try await server.waitingCommits == 2)
            let count = try await pool.query(Statement("SELECT count(*) FROM t"), deadline: .ample)
            #expect(try count[0].decode(0, as: Int.self) == 0)
            try await server.standbyProcess.start()
            var next = 10
            try await eventually("changes are accepted again") {
                // A change whose outcome is unknown can have been made, and the same row would then be refused for ever.
                next += 1
                return await failure {
                    try await pool.transaction { [next] in
                        try await $0.query(Statement("INSERT INTO t VALUES ($1)"), [next], deadline: .ample)
                    }
                } == nil
            }
            await pool.shutdown()
        }
    }
}
