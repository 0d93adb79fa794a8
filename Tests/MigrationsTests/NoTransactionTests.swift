import Migrations
import Postgres
import TestSupport
import Testing

@Suite(.hangLimit) struct NoTransactionTests {
    private static let index = """
        -- mortise:no-transaction
        DROP INDEX CONCURRENTLY IF EXISTS one_by_id;
        -- mortise:next
        CREATE UNIQUE INDEX CONCURRENTLY one_by_id ON one (id);
        """

    private static let valid = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'one_by_id'::regclass"

    @Test func `a file outside a transaction builds an index concurrently and is added to the ledger`() async throws {
        try await withConnection { connection in
            try await connection.script("CREATE TABLE one (id int)")
            _ = try await migrator([file("a1_index", Self.index)]).apply(connection)
            #expect(try await connection.texts(Self.valid) == ["true"])
            #expect(try await connection.texts("SELECT name FROM mortise.migrations") == ["a1_index"])
            #expect(try await connection.texts("SHOW statement_timeout") == ["0"])
        }
    }

    // An interrupted build leaves an invalid index with the name. It ensures no uniqueness, and queries do not use it.
    @Test func `an invalid index of an interrupted build is replaced by running again`() async throws {
        try await withConnection { connection in
            try await connection.script("CREATE TABLE one (id int); INSERT INTO one VALUES (1), (1)")
            let migrator = try migrator([file("a1_index", Self.index)])
            await #expect(throws: MigrationError.self) { try await migrator.apply(connection) }
            #expect(try await connection.texts(Self.valid) == ["false"])
            #expect(try await connection.texts("SHOW statement_timeout") == ["0"])
            try await connection.script("DELETE FROM one")
            _ = try await migrator.apply(connection)
            #expect(try await connection.texts(Self.valid) == ["true"])
        }
    }

    // CREATE INDEX CONCURRENTLY waits for every session that holds an older snapshot. If the second program waited for
    // the lock inside a statement, the two programs would wait for each other until the server ended one of them.
    @Test func `a program that waits for the lock does not block the build of an index`() async throws {
        try await withDatabase { configuration in
            try await withConnection(to: configuration) { try await $0.script("CREATE TABLE one (id int)") }
            let files = [try file("a1_index", Self.index)]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await withConnection(to: configuration) { _ = try await migrator(files).apply($0) }
                    }
                }
                try await group.waitForAll()
            }
            let valid = try await withConnection(to: configuration) { try await $0.texts(Self.valid) }
            #expect(valid == ["true"])
        }
    }
}
