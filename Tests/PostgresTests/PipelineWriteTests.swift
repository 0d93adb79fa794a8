import Logging
import Postgres
import TestSupport
import Testing

/// Short changes over a connection for look-ups.
@Suite(.hangLimit) struct PipelineWriteTests {
    private static let read = Statement("SELECT coalesce(sum(n), 0)::int8, $1::int8 FROM t")
    private static let insert = BoundStatement(Statement("INSERT INTO t VALUES (1)"))
    private static let fail = BoundStatement(Statement("SELECT 1 / $1::int8"), [0])
    private static let isReadOnly = Statement("SELECT current_setting('transaction_read_only')")

    private func withTable(_ body: (Fixture, PostgresPipeline) async throws -> Void) async throws {
        try await withFixture { fixture in
            let owner = try await fixture.connect()
            try await owner.script("CREATE TABLE t (n int8)")
            try await fixture.withPipeline { try await body(fixture, $0) }
            await owner.close()
        }
    }

    @Test func `a transaction writes between look-ups, and the connection stays read-only for them`() async throws {
        try await withTable { fixture, pipeline async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        if number % 20 == 0 {
                            try await pipeline.write([Self.insert, Self.insert], lockPatience: .ample)
                        } else {
                            // A look-up in the middle of a transaction would see an odd sum.
                            let rows = try await pipeline.query(Self.read, [number])
                            #expect(try rows[0].decode(0, as: Int.self) % 2 == 0)
                            #expect(try rows[0].decode(1, as: Int.self) == number)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 20)
            #expect(try await pipeline.query(Self.isReadOnly)[0].decode(0, as: String.self) == "on")
            let error = await #expect(throws: PostgresError.self) {
                try await pipeline.query(Statement("INSERT INTO t VALUES (1)"))
            }
            #expect(error?.sqlState == .readOnlyTransaction)
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }

    @Test
    func `a transaction that fails has no effect, and the look-ups around it are answered on the same connection`()
        async throws
    {
        try await withTable { fixture, pipeline async throws in
            for _ in 0..<2 {
                async let sum = pipeline.query(Self.read, [0])
                let error = await #expect(throws: PostgresError.self) {
                    try await pipeline.write([Self.insert, Self.fail, Self.insert], lockPatience: .ample)
                }
                #expect(error?.sqlState?.rawValue == "22012")
                #expect(try await sum[0].decode(0, as: Int.self) == 0)
                #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 0)
            }
            try await pipeline.write([Self.insert], lockPatience: .ample)
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 1)
            #expect(try await pipeline.query(Self.isReadOnly)[0].decode(0, as: String.self) == "on")
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }

    // The attack: a node is paused between its statements and its COMMIT, and its locks stop all others.
    @Test func `the server ends a transaction that stands still, and the settings end with the transaction`()
        async throws
    {
        try await withTable { fixture, pipeline async throws in
            let names = ["idle_in_transaction_session_timeout", "lock_timeout", "synchronous_commit"]
            let settings = names.map { "current_setting('\($0)')" }.joined(separator: " || ' ' || ")
            func read() async throws -> String {
                try await pipeline.query(Statement("SELECT \(settings)"))[0].decode(0, as: String.self)
            }
            let before = try await read()
            let owner = try await fixture.connect()
            try await owner.script("CREATE TABLE s (t text)")
            try await pipeline.write(
                [BoundStatement(Statement("INSERT INTO s SELECT \(settings)"))],
                lockPatience: .milliseconds(70)
            )
            #expect(try await owner.query(Statement("SELECT t FROM s"))[0].decode(0, as: String.self) == "2s 70ms off")
            await owner.close()
            #expect(try await read() == before)
        }
    }

    // A COMMIT that the server does not execute leaves its transaction open, and the next look-ups would run in it.
    @Test func `after a COMMIT that fails, look-ups have another session`() async throws {
        try await withTable { fixture, pipeline async throws in
            let owner = try await fixture.connect()
            try await owner.script("CREATE TABLE d (n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let insert = BoundStatement(Statement("INSERT INTO d VALUES (1)"))
            let error = await #expect(throws: PostgresError.self) {
                try await pipeline.write([insert, insert], lockPatience: .ample)
            }
            #expect(error?.sqlState == .uniqueViolation)
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 0)
            #expect(try await owner.query(Statement("SELECT count(*)::int8 FROM d"))[0].decode(0, as: Int.self) == 0)
            await owner.close()
            #expect(pipeline.statistics.connectionAttempts == 2)
        }
    }

    // The attack: somebody's DDL lets the server forget a plan. An open transaction would then hide every later change from look-ups.
    @Test func `a transaction whose statement must be prepared again fails once, and leaves none open`() async throws {
        try await withTable { fixture, pipeline async throws in
            let statement = BoundStatement(Statement("INSERT INTO t SELECT t.n + 1 FROM t RETURNING *"))
            try await pipeline.write([Self.insert, statement], lockPatience: .ample)
            let owner = try await fixture.connect()
            try await owner.script("ALTER TABLE t ADD COLUMN m int8")
            let error = await #expect(throws: PostgresError.self) {
                try await pipeline.write([Self.insert, statement], lockPatience: .ample)
            }
            #expect(error?.code == .server)
            let idle = Statement(
                "SELECT count(*)::int8 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
            )
            #expect(try await owner.query(idle)[0].decode(0, as: Int.self) == 0)
            try await pipeline.write([Self.insert, statement], lockPatience: .ample)
            await owner.close()
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }

    @Test func `a transaction that waits for a lock gives up soon, and the look-ups behind it are answered`()
        async throws
    {
        try await withTable { fixture, pipeline async throws in
            let blocker = try await fixture.connect()
            try await blocker.script("BEGIN; LOCK t IN SHARE MODE")
            let writing = Task {
                try await pipeline.write([Self.insert], lockPatience: .milliseconds(50))
            }
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 0)
            let error = await #expect(throws: PostgresError.self) { try await writing.value }
            #expect(error?.sqlState == .lockNotAvailable)
            await blocker.close()
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }
}
