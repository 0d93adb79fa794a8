import Postgres
import TestSupport
import Testing

/// Statements with and without preparation on one connection.
@Suite(.hangLimit) struct StatementTests {
    @Test func `a statement accepts parameters of other types than before`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT pg_typeof($1)::text")
            let values: [any PostgresEncodable] = [Int32(1), "x", Int32(2), true, nil as Int64?, [UInt8](), ["x"]]
            var types: [String] = []
            for value in values { types.append(try await connection.query(statement, [value])[0].decode(0)) }
            #expect(types == ["integer", "text", "integer", "boolean", "bigint", "bytea", "text[]"])
        }
    }

    @Test func `a statement is prepared once for each connection and each list of types`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT $1, 'counted'")
            for value in 0..<5 { try await connection.query(statement, [value]) }
            try await connection.query(statement, ["x"])
            let count = try await connection.number(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%counted%' AND statement NOT LIKE '%LIKE%'"
            )
            #expect(count == 2)
        }
    }

    @Test func `no statement is prepared if the configuration turns preparation off`() async throws {
        try await withFixture { fixture in
            var configuration = fixture.configuration
            configuration.usesPreparedStatements = false
            let connection = try await fixture.connect(configuration)
            #expect(try await connection.query(Statement("SELECT $1"), [5])[0].decode(0, as: Int.self) == 5)
            #expect(try await connection.number("SELECT count(*) FROM pg_prepared_statements") == 0)
        }
    }

    @Test func `a prepared statement works again after it was deallocated or its table was altered`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT * FROM t")
            try await connection.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
            #expect(try await connection.query(statement)[0].decode(0, as: Int.self) == 1)
            try await connection.script("DEALLOCATE ALL")
            #expect(try await connection.query(statement)[0].decode(0, as: Int.self) == 1)
            // "cached plan must not change result type" (0A000)
            try await connection.script("ALTER TABLE t ADD b text DEFAULT 'b'")
            #expect(try await connection.query(statement)[0].decode(1, as: String.self) == "b")
        }
    }

    @Test func `in a transaction, a deallocated statement fails with its own error`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT 1")
            try await connection.query(statement)
            try await connection.script("DEALLOCATE ALL")
            let error = await failure { try await connection.transaction { try await $0.query(statement) } }
            #expect(error?.sqlState == .invalidStatementName)
            #expect(try await connection.query(statement)[0].decode(0, as: Int.self) == 1)
        }
    }

    @Test func `statements beyond the limit are executed without preparation`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2200 {
                    group.addTask { try await connection.query(Statement("SELECT \(number)"))[0].decode(0) }
                }
                var sum = 0
                for try await number in group { sum += number }
                #expect(sum == 2199 * 2200 / 2)
            }
            #expect(try await connection.number("SELECT count(*) FROM pg_prepared_statements") == 2048)
        }
    }

    @Test func `a script is one transaction, which its first error rolls back`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
            let error = await failure { try await connection.script("DELETE FROM t; SELECT 1/0; DELETE FROM t") }
            #expect(error?.sqlState?.rawValue == "22012")
            #expect(try await connection.number("SELECT count(*) FROM t") == 2)
        }
    }

    @Test func `a result has the number of affected rows`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.query(Statement("CREATE TABLE t (a int)", prepared: false))
            let inserted = try await connection.query(Statement("INSERT INTO t SELECT generate_series(1, 10)"))
            #expect(inserted.affectedRows == 10)
            #expect(inserted.commandTag == "INSERT 0 10")
            #expect(try await connection.query(Statement("DELETE FROM t WHERE a > 7")).affectedRows == 3)
            #expect(try await connection.query(Statement("SELECT a FROM t ORDER BY a")).count == 7)
            #expect(try await connection.query(Statement("")).isEmpty)
        }
    }

    @Test func `a result of many megabytes arrives whole`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT n, repeat('x', 1000) FROM generate_series(1, 50000) n")
            let rows = try await connection.query(statement, deadline: .ample)
            #expect(rows.count == 50_000)
            #expect(try rows[49_999].decode(0, as: Int.self) == 50_000)
        }
    }

    // A COPY TO sends data that the client must read to its end, which this module does not do.
    @Test(arguments: ["COPY (SELECT 1) TO STDOUT", "COPY t FROM STDIN"])
    func `a COPY command that is sent as a statement or script closes the connection instead of blocking it`(
        sql: String
    ) async throws {
        try await withFixture { fixture in
            for isScript in [true, false] {
                let connection = try await fixture.connect()
                try await connection.script("CREATE TABLE IF NOT EXISTS t (a int)")
                let error = await failure {
                    if isScript { return try await connection.script(sql) }
                    try await connection.query(Statement(sql, prepared: false))
                }
                #expect(error?.code == .protocolViolation)
                #expect(!connection.isUsable)
            }
            #expect(try await fixture.connect().number("SELECT 1::int8") == 1)
        }
    }

    @Test func `quoted identifiers and literals keep their meaning`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            for text in [
                "", "a", "a'b", "a\\'b", "\\", "a\"b", "'; DROP TABLE t; --", "ü", "'\u{301}", "\u{600}'", "\\\u{301}'",
            ] {
                #expect(try await connection.text("SELECT \(PostgresConnection.quote(literal: text))::text") == text)
            }
            for name in ["a", "A b", "a\"b", "\"; DROP TABLE t; --", "sélect", "b\"\u{301}", "\u{600}\"c"] {
                let quoted = PostgresConnection.quote(identifier: name)
                try await connection.script("CREATE TABLE \(quoted) (a int)")
                let found = try await connection.query(
                    Statement("SELECT count(*) FROM pg_class WHERE relname = $1"),
                    [name]
                )
                #expect(try found[0].decode(0, as: Int.self) == 1)
            }
        }
    }

    @Test func `more parameters than the protocol can count are refused, and the connection stays usable`() async throws
    {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let parameters = [any PostgresEncodable](repeating: 1, count: 65_536)
            let error = await failure { try await connection.query(Statement("SELECT 1", prepared: false), parameters) }
            #expect(error?.code == .protocolViolation)
            #expect(error?.wasSent == false)
            #expect(try await connection.number("SELECT 1::int8") == 1)
        }
    }
}
