import Migrations
import Postgres
import TestSupport

/// Runs `body` with a connection to a new database.
func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
    try await withDatabase { configuration in
        try await withConnection(to: configuration, body)
    }
}

/// Runs `body` with a new connection to a database.
func withConnection<T>(
    to configuration: PostgresConfiguration,
    _ body: (PostgresConnection) async throws -> T
) async throws -> T {
    try await PostgresConnection.with(
        configuration,
        reactor: TestReactor.shared,
        logger: LogCollector().logger,
        body
    )
}

extension PostgresConnection {
    /// Returns the first column of a query, as text.
    func texts(_ sql: String) async throws -> [String] {
        try await query(Statement(sql, prepared: false)).map { try $0.decode(0) }
    }
}

func file(_ name: String, _ sql: String) throws -> MigrationFile {
    try MigrationFile(name: name, bytes: Array(sql.utf8))
}

func line(_ files: [MigrationFile]) throws -> MigrationLine { try MigrationLine("test", files: files) }

extension MigratorOptions {
    /// The default options with deadlines that a busy machine does not reach.
    static var ample: Self { MigratorOptions(lockPatience: .ample, lockTimeout: .ample, fileDeadline: .ample) }
}

func migrator(_ files: [MigrationFile], options: MigratorOptions = .ample) throws -> Migrator {
    Migrator(lines: [try line(files)], identifiers: ["runtime_role": "a \"role\""], version: "1.2.3", options: options)
}
