import InMemoryTracing
import Postgres
import TestSupport
import Testing
import Tracing

/// Spans of statements, transactions, pool waits and look-ups.
@Suite(.hangLimit) struct TracingTests {
    private struct BodyError: Error {}
    private static let find = Statement("SELECT $1::text", name: "find text")

    /// Runs `body` with a tracer of its own and a database, and returns the spans that ended, in the order of their ends.
    private func spans(_ body: (Fixture) async throws -> Void) async throws -> [FinishedInMemorySpan] {
        let tracer = InMemoryTracer()
        try await withFixture { fixture in
            try await withTracer(tracer) { try await body(fixture) }
        }
        #expect(tracer.activeSpans.isEmpty)
        return tracer.finishedSpans
    }

    private func text(_ span: FinishedInMemorySpan, _ attribute: String) -> String? {
        guard case .string(let text)? = span.attributes[attribute]?.toSpanAttribute() else { return nil }
        return text
    }

    @Test func `a statement of a connection is a client span with the names of the semantic conventions`() async throws
    {
        let spans = try await spans { fixture in
            let connection = try await fixture.connect()
            try await connection.query(Self.find, ["hunter2"])
            try await connection.query(Statement("select 'hunter2'"))
            try await connection.script("SELECT 'hunter2'; SELECT 2")
        }
        #expect(spans.map(\.operationName).first == "find text")
        #expect(spans.map { text($0, "db.operation.name") } == ["SELECT", "SELECT", "SCRIPT"])
        #expect(spans.map { text($0, "db.query.summary") } == ["find text", nil, nil])
        for span in spans {
            #expect(span.kind == .client)
            #expect(text(span, "db.system.name") == "postgresql")
            #expect(span.status?.code != .error)
            let database = try #require(text(span, "db.namespace"))
            #expect(span.operationName == "find text" || span.operationName.hasSuffix(" \(database)"))
        }
    }

    @Test func `no span repeats SQL, a parameter, a row or the text of a foreign error`() async throws {
        let spans = try await spans { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a text UNIQUE)")
            let insert = Statement("INSERT INTO t VALUES ($1) /* hunter2 */")
            try await connection.query(insert, ["hunter2"])
            _ = await failure { try await connection.query(insert, ["hunter2"]) }
            _ = await failure { try await connection.script("SELECT 'hunter2'::int") }
            _ = try? await connection.transaction { _ in throw ForeignError(text: "hunter2") }
        }
        #expect(spans.count == 5)
        #expect(!"\(spans)".contains("hunter2"))
    }

    private struct ForeignError: Error { let text: String }

    @Test func `a failed statement's span has the SQLSTATE and an error status`() async throws {
        let spans = try await spans { fixture in
            let connection = try await fixture.connect()
            _ = await failure { try await connection.query(Statement("SELECT 1 / 0")) }
            _ = await failure {
                let deadline = Duration.milliseconds(20).onThisMachine
                try await connection.query(Statement("SELECT pg_sleep(600)"), deadline: deadline)
            }
        }
        #expect(spans.map { text($0, "error.type") } == ["22012", "deadlineExceeded"])
        #expect(spans.map { text($0, "db.response.status_code") } == ["22012", nil])
        #expect(spans.allSatisfy { $0.status?.code == .error })
    }

    @Test func `the statements of a transaction are children of its span, on whichever thread they continue`()
        async throws
    {
        let spans = try await spans { fixture in
            try await fixture.withPool { pool in
                try await pool.query(Self.find, ["opens the connection"])
                let reactor = try TestReactor.shared
                try await withTaskExecutorPreference(reactor) {
                    try await pool.transaction { connection in
                        try await connection.query(Self.find, ["a"])
                        try await connection.query(Self.find, ["b"])
                    }
                }
                _ = try? await pool.transaction { _ in throw BodyError() }
            }
        }
        let transactions = spans.filter { $0.operationName.hasPrefix("transaction ") }
        let first = try #require(transactions.first)
        #expect(transactions.map { $0.status?.code == .error } == [false, true])
        #expect(transactions.map { text($0, "error.type") } == [nil, "BodyError"])
        let children = spans.filter { $0.parentSpanID == first.spanID }
        #expect(children.map(\.operationName) == ["find text", "find text"])
        #expect(children.allSatisfy { $0.traceID == first.traceID })
    }

    @Test func `a caller that opens or waits for a connection has a span for it, a caller that finds one has none`()
        async throws
    {
        let spans = try await spans { fixture in
            try await fixture.withPool(PostgresPoolOptions(maximumConnections: 1, leaseDeadline: .ample)) {
                pool in
                try await pool.query(Self.find, ["opens"])
                try await pool.query(Self.find, ["finds"])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await pool.withConnection { _ in
                        group.addTask { try await pool.query(Self.find, ["waits"]) }
                        try await eventually("the caller waits") { pool.usage.waiting == 1 }
                    }
                    try await group.waitForAll()
                }
            }
        }
        let waits = spans.filter { $0.operationName.hasPrefix("acquire connection ") }
        #expect(waits.count == 2)
        #expect(waits.allSatisfy { text($0, "db.client.connection.pool.name") == text($0, "db.namespace") })
    }

    @Test func `a look-up is a client span whose parent is the caller's span`() async throws {
        let spans = try await spans { fixture in
            try await fixture.withPipeline { pipeline in
                try await withSpan("request") { _ in
                    _ = try await pipeline.query(Self.find, ["a"])
                    _ = await failure { try await pipeline.query(Statement("SELECT 1 / 0")) }
                }
            }
        }
        let request = try #require(spans.first { $0.operationName == "request" })
        let lookUps = spans.filter { $0.parentSpanID == request.spanID }
        #expect(lookUps.map { text($0, "db.operation.name") } == ["SELECT", "SELECT"])
        #expect(lookUps.map { text($0, "error.type") } == [nil, "22012"])
        #expect(lookUps.allSatisfy { $0.kind == .client })
    }

    @Test func `COPY is one span`() async throws {
        let spans = try await spans { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int)")
            let chunks = AsyncStream<[UInt8]> { stream in
                stream.yield(Array("1\n".utf8))
                stream.finish()
            }
            try await connection.copyIn("COPY t FROM STDIN", chunks)
        }
        #expect(spans.map { text($0, "db.operation.name") } == ["SCRIPT", "COPY"])
    }

    @Test func `without a tracer all calls work`() async throws {
        try await withFixture { fixture in
            try await fixture.withPool { pool in
                let rows = try await pool.transaction { try await $0.query(Self.find, ["a"]) }
                #expect(try rows[0].decode(0, as: String.self) == "a")
            }
        }
    }
}
