import Postgres
import TestSupport
import Testing

/// Concurrent statements on one connection.
@Suite(.hangLimit) struct PipeliningTests {
    private static let echo = Statement("SELECT $1::int8")
    private static let divide = Statement("SELECT 100 / ($1::int8 % 10)")

    @Test func `of 500 concurrent statements only those fail that have an error`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let outcomes = await withTaskGroup(of: (Int, String).self) { group in
                for number in 0..<500 {
                    group.addTask {
                        do {
                            let rows = try await connection.query(Self.divide, [number])
                            return (
                                number, try rows[0].decode(0, as: Int.self) == 100 / (number % 10) ? "right" : "wrong"
                            )
                        } catch {
                            return (number, (error as? PostgresError)?.sqlState?.rawValue ?? "\(error)")
                        }
                    }
                }
                return await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            for number in 0..<500 { #expect(outcomes[number] == (number % 10 == 0 ? "22012" : "right")) }
            #expect(connection.isUsable)
        }
    }

    @Test func `each statement is a transaction of its own: a failure rolls back no neighbor`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int8 PRIMARY KEY)")
            let insert = Statement("INSERT INTO t VALUES ($1 / 2)")
            let failures = await withTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<400 {
                    group.addTask { await failure { try await connection.query(insert, [number]) } }
                }
                return await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
            }
            #expect(failures.count == 200)
            #expect(failures.allSatisfy { $0.sqlState == .uniqueViolation && $0.constraint == "t_pkey" })
            #expect(try await connection.number("SELECT count(*) FROM t") == 200)
        }
    }

    // The server answers INSERT before it commits. A caller that trusts that answer would rely on a row that is never stored.
    @Test func `a statement that fails at its commit fails for its caller`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script(
                "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)"
            )
            let insert = Statement("INSERT INTO c VALUES ($1::int8)")
            async let first = failure { try await connection.query(insert, [1]) }
            async let second = failure { try await connection.query(Self.echo, [2]) }
            #expect(await first?.sqlState == .foreignKeyViolation)
            #expect(await second == nil)
            #expect(try await connection.number("SELECT count(*) FROM c") == 0)
        }
    }

    @Test func `concurrent scripts and statements each get their own answer`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int8)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        if number % 7 == 0 {
                            try await connection.script("INSERT INTO t VALUES (\(number)); INSERT INTO t VALUES (0)")
                        } else {
                            #expect(
                                try await connection.query(Self.echo, [number])[0].decode(0, as: Int.self) == number
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await connection.number("SELECT count(*) FROM t") == 58)
        }
    }

    @Test func `large parameters and large results at the same time block neither side`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            let statement = Statement("SELECT $1")
            let text = String(repeating: "0123456789abcdef", count: 1 << 16)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        let rows = try await connection.query(statement, [text], deadline: .ample)
                        #expect(try rows[0].decode(0, as: String.self) == text)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `no more statements than the limit wait, and the refused ones were not sent`() async throws {
        try await withFixture { fixture in
            let connection = try await fixture.connect()
            try await connection.script("CREATE TABLE t (a int8)")
            let blocker = try await fixture.connect()
            try await blocker.script("BEGIN; LOCK TABLE t")
            let insert = Statement("INSERT INTO t VALUES ($1)")
            let outcomes = try await withThrowingTaskGroup(of: PostgresError?.self) { group in
                for number in 0..<12_000 {
                    group.addTask {
                        await failure { try await connection.query(insert, [number], deadline: .ample) }
                    }
                }
                // While the table is locked, nothing ends but what is refused.
                let first = try #require(try await group.next())
                #expect(first?.code == .queueFull)
                try await blocker.script("COMMIT")
                return try await group.reduce(into: [first]) { $0.append($1) }
            }
            let refused = outcomes.compactMap(\.self)
            #expect(!refused.isEmpty)
            #expect(refused.allSatisfy { $0.code == .queueFull && !$0.wasSent })
            let inserted = try await connection.number("SELECT count(*) FROM t WHERE a >= 0")
            #expect(inserted == 12_000 - refused.count)
        }
    }
}
