import Migrations
import Postgres
import TestSupport
import Testing

@Suite(.hangLimit) struct MigratorTests {
    private let a = Result { try file("a1_one", "CREATE TABLE one (id int);") }
    private let b = Result { try file("a2_two", "CREATE TABLE two (id int); INSERT INTO two VALUES (1);") }

    private static let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    private static let ledger = "SELECT name || ' ' || version FROM mortise.migrations ORDER BY name"

    @Test func `files are applied once, in order, and added to the ledger`() async throws {
        try await withConnection { connection in
            let migrator = try migrator([a.get(), b.get()])
            let report = try await migrator.apply(connection)
            #expect(report.files.map(\.name) == ["a1_one", "a2_two"])
            #expect(try await connection.texts(Self.ledger) == ["a1_one 1.2.3", "a2_two 1.2.3"])
            #expect(try await migrator.apply(connection).isEmpty)
            #expect(try await connection.texts("SELECT id::text FROM two") == ["1"])
        }
    }

    @Test func `a dry run reports and changes nothing`() async throws {
        try await withConnection { connection in
            let report = try await migrator([a.get()]).apply(connection, dryRun: true)
            #expect(report.isDryRun)
            #expect(report.files.map(\.name) == ["a1_one"])
            #expect(
                try await connection.texts("SELECT nspname::text FROM pg_namespace WHERE nspname = 'mortise'").isEmpty
            )
        }
    }

    // A file that fails must not leave its first half behind. Otherwise it would fail in every later run.
    @Test func `a file that fails is rolled back, the files before it stay applied, and the next run continues`()
        async throws
    {
        try await withConnection { connection in
            let broken = try file("a2_two", "CREATE TABLE two (id int); SELECT 1 / 0;")
            let error = await #expect(throws: MigrationError.self) {
                try await migrator([a.get(), broken]).apply(connection)
            }
            guard case .fileFailed(_, "a2_two", _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await connection.texts(Self.tables) == ["one"])
            #expect(try await connection.texts(Self.ledger) == ["a1_one 1.2.3"])
            #expect(try await migrator([a.get(), b.get()]).apply(connection).files.map(\.name) == ["a2_two"])
        }
    }

    @Test func `a changed file stops the migration before any file is applied`() async throws {
        try await withConnection { connection in
            _ = try await migrator([a.get()]).apply(connection)
            let changed = try file("a1_one", "CREATE TABLE one (id bigint);")
            let error = await #expect(throws: MigrationError.self) {
                try await migrator([changed, b.get()]).apply(connection)
            }
            #expect(error?.description.contains(changed.checksum) == true)
            #expect(try error?.description.contains(a.get().checksum) == true)
            #expect(try await connection.texts(Self.tables) == ["one"])
        }
    }

    @Test func `an older program accepts a newer database`() async throws {
        try await withConnection { connection in
            _ = try await migrator([a.get(), b.get()]).apply(connection)
            let report = try await migrator([a.get()]).apply(connection)
            #expect(report.isEmpty)
            #expect(report.newerLines == ["test"])
        }
    }

    @Test func `a placeholder becomes a quoted identifier`() async throws {
        try await withConnection { connection in
            let file = try file("a1_one", "CREATE TABLE {{runtime_role}} (id int);")
            _ = try await migrator([file]).apply(connection)
            #expect(try await connection.texts(Self.tables) == ["a \"role\""])
        }
    }

    @Test(arguments: ["SELECT {{nobody}}", "SELECT {{runtime_role"])
    func `an unknown or unclosed placeholder stops the migration`(sql: String) async throws {
        try await withConnection { connection in
            let error = await #expect(throws: MigrationError.self) {
                try await migrator([file("a1_one", sql)]).apply(connection)
            }
            guard case .invalidFile("a1_one", _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let applied = try await connection.texts(Self.ledger)
            #expect(applied.isEmpty)
        }
    }

    @Test func `concurrent migrators all succeed, and each file is applied once`() async throws {
        try await withDatabase { configuration in
            let files = try (1...5).map { try file("a\($0)_t", "CREATE TABLE t\($0) (id int);") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await withConnection(to: configuration) { _ = try await migrator(files).apply($0) }
                    }
                }
                try await group.waitForAll()
            }
            let applied = try await withConnection(to: configuration) {
                try await $0.texts("SELECT name FROM mortise.migrations ORDER BY name")
            }
            #expect(applied == files.map(\.name))
        }
    }

    @Test func `the error of a taken lock names its holder`() async throws {
        try await withDatabase { configuration in
            var other = configuration
            other.applicationName = "somebody else"
            let impatient = try migrator([a.get()], options: MigratorOptions(lockPatience: .zero))
            try await withConnection(to: other) { holder in
                try await AdvisoryLock("migrations")
                    .withLock(on: holder, patience: .zero) {
                        try await withConnection(to: configuration) { connection in
                            let error = await #expect(throws: MigrationError.self) {
                                try await impatient.apply(connection)
                            }
                            let text = error?.description ?? ""
                            #expect(text.contains("somebody else"))
                            #expect(text.contains("process \(holder.backendProcessID)"))
                        }
                    }
                let report = try await withConnection(to: configuration) { try await impatient.apply($0) }
                #expect(report.files.map(\.name) == ["a1_one"])
            }
        }
    }

    // A reader with a lock on a table would make DDL wait, and every later reader would wait behind the DDL.
    @Test func `DDL fails after lock_timeout instead of waiting for a long transaction`() async throws {
        try await withDatabase { configuration in
            let options = MigratorOptions(lockTimeout: .milliseconds(50))
            let migrator = try migrator([file("a1_x", "ALTER TABLE one ADD name text;")], options: options)
            try await withConnection(to: configuration) { reader in
                try await reader.script("CREATE TABLE one (id int)")
                try await reader.transaction { reader in
                    try await reader.script("SELECT * FROM one")
                    try await withConnection(to: configuration) { connection in
                        let error = await #expect(throws: MigrationError.self) { try await migrator.apply(connection) }
                        guard case .fileFailed(_, _, let cause)? = error else {
                            Issue.record("\(String(describing: error))")
                            return
                        }
                        #expect(cause.sqlState == .lockNotAvailable)
                    }
                }
            }
        }
    }

    @Test func `the lock is released after a failure and after a cancellation`() async throws {
        try await withDatabase { configuration in
            let lock = AdvisoryLock("migrations")
            let broken = try migrator([file("a1_x", "SELECT 1 / 0;")])
            try await withConnection(to: configuration) { connection in
                await #expect(throws: MigrationError.self) { try await broken.apply(connection) }
                try await withConnection(to: configuration) { try await lock.withLock(on: $0, patience: .zero) {} }
            }
            let task = Task {
                try await withConnection(to: configuration) { connection in
                    try await lock.withLock(on: connection, patience: .zero) {
                        withUnsafeCurrentTask { $0?.cancel() }
                        try Task.checkCancellation()
                    }
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            try await withConnection(to: configuration) { try await lock.withLock(on: $0, patience: .ample) {} }
        }
    }
}
