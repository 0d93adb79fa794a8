import Logging
public import Postgres

/// The databases of `withDatabase`.
///
/// Swift Testing starts all tests together, and each database costs connections.
private let databases = Semaphore(slots: 8, for: "a database")

/// Runs `body` with an empty database of its own on the shared server, which is dropped afterwards even if the test fails or is cancelled.
///
/// At most eight exist at once, so a call within a call can wait for ever. Use `withSecondDatabase` there.
///
/// - Parameters:
///   - template: The database to copy, without open connections; an empty one by default.
///   - body: The test. It gets the superuser's configuration.
/// - Returns: The value of `body`.
/// - Throws: The error of `body`, or of a creation that failed.
public func withDatabase<T>(
    template: String = "template0",
    _ body: (PostgresConfiguration) async throws -> T
) async throws -> T {
    try await databases.withSlot { try await withSecondDatabase(template: template, body) }
}

/// Does what `withDatabase` does without the queue, for a test that has one database already.
public func withSecondDatabase<T>(
    template: String = "template0",
    _ body: (PostgresConfiguration) async throws -> T
) async throws -> T {
    let name = "test_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    let configuration = try await TestServer.configuration(database: name)
    let template = PostgresConnection.quote(identifier: template)
    try await waiting(for: "a database is created") {
        try await administer("CREATE DATABASE \(name) TEMPLATE \(template) STRATEGY wal_log")
    }
    do {
        let value = try await body(configuration)
        try await administer("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        return value
    } catch {
        // The test's own error is the one to report.
        try? await administer("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        throw error
    }
}

/// Executes SQL as the superuser in the database `postgres` of the shared server, even if the calling task is cancelled.
public func administer(_ sql: String) async throws {
    let pool = try await administrators.value
    try await Task {
        try await pool.withConnection { try await $0.script(sql, deadline: .ample) }
    }
    .value
}

private let administrators = Task {
    PostgresPool(
        try await TestServer.configuration(),
        options: PostgresPoolOptions(maximumConnections: 4, leaseDeadline: .ample),
        reactor: try TestReactor.shared,
        logger: Logger(label: "test.administrator", factory: { _ in SwiftLogNoOpLogHandler() })
    )
}
