import Postgres
import TestSupport
import Testing

/// The outcomes of transactions, also unknown ones.
@Suite(.hangLimit) struct TransactionTests {
    private struct Refusal: Error {}

    private func withTable(_ body: (Fixture, PostgresConnection) async throws -> Void) async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int PRIMARY KEY)")
            try await body(fixture, connection)
        }
    }

    private func count(_ fixture: Fixture) async throws -> Int {
        try await fixture.connect().number("SELECT count(*) FROM t")
    }

    private func expect(_ fixture: Fixture, count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws
    {
        let found = try await self.count(fixture)
        #expect(found == count, sourceLocation: sourceLocation)
    }

    @Test func `the changes of the body are committed when it returns, and invisible before`() async throws {
        try await withTable { fixture, connection in
            let value = try await connection.transaction { connection in
                try await connection.script("INSERT INTO t VALUES (1)")
                try await expect(fixture, count: 0)
                return "done"
            }
            #expect(value == "done")
            try await expect(fixture, count: 1)
        }
    }

    @Test func `if the body throws, no row stays, and the error of the body is thrown`() async throws {
        try await withTable { fixture, connection in
            await #expect(throws: Refusal.self) {
                try await connection.transaction { connection in
                    try await connection.script("INSERT INTO t VALUES (1)")
                    throw Refusal()
                }
            }
            try await expect(fixture, count: 0)
            #expect(try await connection.number("SELECT 1::int8") == 1)
        }
    }

    @Test func `if the task is cancelled, no row stays, and the connection stays usable`() async throws {
        try await withTable { fixture, connection in
            let task = Task {
                try await connection.transaction { connection in
                    try await connection.script("INSERT INTO t VALUES (1)")
                    try await connection.query(Statement("SELECT pg_sleep(600)"), deadline: .ample)
                }
            }
            try await fixture.waitUntilRunning("pg_sleep")
            task.cancel()
            #expect(await failure { try await task.value }?.code == .cancelled)
            try await expect(fixture, count: 0)
            try await connection.transaction { try await $0.script("INSERT INTO t VALUES (2)") }
            try await expect(fixture, count: 1)
        }
    }

    @Test func `a body that ignores the error of a statement gets the error that nothing was committed`() async throws {
        try await withTable { fixture, connection in
            let error = await failure {
                try await connection.transaction { connection in
                    try await connection.script("INSERT INTO t VALUES (1)")
                    _ = await failure { try await connection.script("SELECT 1/0") }
                }
            }
            #expect(error?.code == .transactionRolledBack)
            try await expect(fixture, count: 0)
        }
    }

    @Test func `a deferred constraint that fails at COMMIT is named, and no row stays`() async throws {
        try await withTable { fixture, connection in
            try await connection.script(
                "CREATE TABLE c (a int CONSTRAINT parent REFERENCES t DEFERRABLE INITIALLY DEFERRED)"
            )
            let error = await failure {
                try await connection.transaction { connection in
                    try await connection.script("INSERT INTO t VALUES (1)")
                    try await connection.script("INSERT INTO c VALUES (9)")
                }
            }
            #expect(error?.sqlState == .foreignKeyViolation)
            #expect(error?.constraint == "parent")
            try await expect(fixture, count: 0)
            #expect(try await connection.number("SELECT 1::int8") == 1)
        }
    }

    /// A trigger that makes COMMIT last until another session ends it.
    private static let slowCommit = """
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()
        """

    // After "failed" the caller would repeat the transaction, and after "done" it would rely on it. Neither is known.
    @Test func `if the connection breaks during COMMIT, the outcome is unknown`() async throws {
        try await withTable { fixture, connection in
            try await connection.script(Self.slowCommit)
            let process = connection.backendProcessID
            let task = Task {
                try await connection.transaction { try await $0.query(Statement("INSERT INTO t VALUES (1)")) }
            }
            try await fixture.waitUntilRunning("COMMIT")
            try await administer("SELECT pg_terminate_backend(\(process))")
            #expect(await failure { try await task.value }?.code == .commitOutcomeUnknown)
            #expect(!connection.isUsable)
        }
    }

    // The disk of the write-ahead log fails after the commit record was written. The server ends, and its next start can find the record. After
    // "failed", a change of a key would give up its fence although the change can have been made.
    @Test(arguments: ["PANIC", "FATAL"], ["53100", "58030", "XX000"])
    func `a COMMIT at which the server ends the session has an unknown outcome, whatever the reason`(
        severity: String,
        code: String
    ) async throws {
        let server = try DyingServer(saying: severity, code)
        async let serving: Void = server.serve()
        let connection = try await PostgresConnection.connect(
            server.configuration(),
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        )
        let error = await failure { try await connection.transaction { _ in } }
        try await serving
        #expect(error?.code == .commitOutcomeUnknown)
        #expect(error?.sqlState?.rawValue == code)
        #expect(!connection.isUsable)
    }

    @Test func `a COMMIT that the server refuses was rolled back, also where it lacks resources`() async throws {
        try await withTable { fixture, connection in
            try await connection.script(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RAISE EXCEPTION ''full'' USING ERRCODE = ''53100''; END';
                CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION refuse()
                """
            )
            let error = await failure {
                try await connection.transaction { try await $0.query(Statement("INSERT INTO t VALUES (1)")) }
            }
            #expect(error?.code == .server)
            #expect(error?.sqlState?.rawValue == "53100")
            #expect(connection.isUsable)
            try await expect(fixture, count: 0)
        }
    }

    @Test func `a COMMIT past its deadline has an unknown outcome, and the connection is closed`() async throws {
        try await withTable { fixture, connection in
            try await connection.script(Self.slowCommit)
            var configuration = fixture.configuration
            // BEGIN has the same deadline, and must not miss it.
            configuration.queryDeadline = .seconds(1).onThisMachine
            let hasty = try await fixture.connect(configuration)
            let error = await failure {
                try await hasty.transaction {
                    try await $0.query(Statement("INSERT INTO t VALUES (1)"), deadline: .ample)
                }
            }
            #expect(error?.code == .commitOutcomeUnknown)
            #expect(!hasty.isUsable)
        }
    }

    @Test func `a task cancelled during COMMIT still learns its outcome`() async throws {
        try await withTable { fixture, connection in
            try await connection.script(Self.slowCommit.replacing("pg_sleep(600)", with: "pg_advisory_xact_lock(7)"))
            let blocker = try await fixture.connect()
            try await blocker.script("SELECT pg_advisory_lock(7)")
            let task = Task {
                try await connection.transaction { try await $0.query(Statement("INSERT INTO t VALUES (1)")) }
            }
            try await fixture.waitUntilRunning("COMMIT")
            task.cancel()
            await blocker.close()
            _ = try await task.value
            try await expect(fixture, count: 1)
        }
    }

    @Test func `a transaction has the requested isolation level and access mode`() async throws {
        try await withTable { _, connection in
            let levels: [TransactionOptions.Isolation] = [.readCommitted, .repeatableRead, .serializable]
            for level in levels {
                let found = try await connection.transaction(TransactionOptions(isolation: level)) {
                    try await $0.text("SHOW transaction_isolation")
                }
                #expect(found == level.rawValue.lowercased())
            }
            let error = await failure {
                try await connection.transaction(TransactionOptions(isReadOnly: true)) {
                    try await $0.script("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error?.sqlState == .readOnlyTransaction)
        }
    }

    @Test func `concurrent statements in a transaction are rolled back together`() async throws {
        try await withTable { fixture, connection in
            let error = await failure {
                try await connection.transaction { connection in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<50 {
                            group.addTask {
                                try await connection.query(Statement("INSERT INTO t VALUES ($1 % 49)"), [number])
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            #expect(error?.sqlState == .uniqueViolation || error?.sqlState == .inFailedTransaction)
            try await expect(fixture, count: 0)
            #expect(try await connection.number("SELECT 1::int8") == 1)
        }
    }
}
