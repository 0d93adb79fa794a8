import Logging
import Postgres
import TestSupport
import Testing

/// Short changes over a connection for look-ups.
@Suite(.hangLimit) struct PipelineWriteTests {
    private static let read = Statement("SELECT coalesce(sum(n), 0)::int8, $1::int8 FROM t")
    private static let isReadOnly = Statement("SELECT current_setting('transaction_read_only')")

    private func withTable(_ body: (Fixture, PostgresPipeline) async throws -> Void) async throws {
        try await withFixture { fixture in
            let owner = try await fixture.connect()
            try await owner.script("CREATE TABLE t (n int8)")
            try await fixture.withPipeline { try await body(fixture, $0) }
            await owner.close()
        }
    }

    @Test func `a script writes between look-ups, and the connection stays read-only for them`() async throws {
        try await withTable { fixture, pipeline async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        if number % 20 == 0 {
                            try await pipeline.write(
                                "INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)",
                                lockPatience: .ample
                            )
                        } else {
                            // A look-up in the middle of a script would see an odd sum.
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

    @Test func `a script that fails has no effect, and the next look-up is answered on the same connection`()
        async throws
    {
        try await withTable { fixture, pipeline async throws in
            let error = await #expect(throws: PostgresError.self) {
                try await pipeline.write("INSERT INTO t VALUES (1); SELECT 1 / 0", lockPatience: .ample)
            }
            #expect(error?.code == .server)
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 0)
            #expect(try await pipeline.query(Self.isReadOnly)[0].decode(0, as: String.self) == "on")
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }

    @Test func `a script that waits for a lock gives up soon, and the look-ups behind it are answered`() async throws {
        try await withTable { fixture, pipeline async throws in
            let blocker = try await fixture.connect()
            try await blocker.script("BEGIN; LOCK t IN SHARE MODE")
            let writing = Task {
                try await pipeline.write("INSERT INTO t VALUES (1)", lockPatience: .milliseconds(50))
            }
            #expect(try await pipeline.query(Self.read, [0])[0].decode(0, as: Int.self) == 0)
            let error = await #expect(throws: PostgresError.self) { try await writing.value }
            #expect(error?.sqlState == .lockNotAvailable)
            await blocker.close()
            #expect(pipeline.statistics.connectionAttempts == 1)
        }
    }
}
