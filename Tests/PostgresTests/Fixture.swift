import Logging
import Postgres
import TestSupport

/// A new database for one test, and the log of its connections.
struct Fixture: Sendable {
    let configuration: PostgresConfiguration
    let log = LogCollector()

    func connect(_ configuration: PostgresConfiguration? = nil) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            configuration ?? self.configuration,
            reactor: try TestReactor.shared,
            logger: log.logger
        )
    }

    /// Creates a pool that its test shuts down, or drops.
    func pool(
        _ options: PostgresPoolOptions = PostgresPoolOptions(leaseDeadline: .ample)
    ) throws -> PostgresPool {
        PostgresPool(configuration, options: options, reactor: try TestReactor.shared, logger: log.logger)
    }

    func withPool<T>(
        _ options: PostgresPoolOptions = PostgresPoolOptions(leaseDeadline: .ample),
        _ body: (PostgresPool) async throws -> T
    ) async throws -> T {
        try await withResource(try pool(options), body, close: { await $0.shutdown() })
    }

    /// Creates a pipeline that its test shuts down.
    func pipeline() throws -> PostgresPipeline {
        PostgresPipeline(configuration, reactors: [try TestReactor.shared], logger: log.logger)
    }

    func withPipeline<T>(
        _ configuration: PostgresConfiguration? = nil,
        _ body: (PostgresPipeline) async throws -> T
    ) async throws -> T {
        try await PostgresPipeline.with(
            configuration ?? self.configuration,
            reactors: [try TestReactor.shared],
            logger: log.logger,
            body
        )
    }

    /// Waits until the server executes a statement that contains `text` in this database, or until it executes none.
    func waitUntilRunning(_ text: String, _ isRunning: Bool = true) async throws {
        let observer = try await connect()
        try await eventually(isRunning ? "\(text) runs" : "\(text) ends") {
            try await Self.isRunning(text, as: observer) == isRunning
        }
        await observer.close()
    }

    /// Returns true if the server executes a statement that contains `text` in this database.
    func isRunning(_ text: String) async throws -> Bool {
        let observer = try await connect()
        let isRunning = try await Self.isRunning(text, as: observer)
        await observer.close()
        return isRunning
    }

    private static func isRunning(_ text: String, as observer: PostgresConnection) async throws -> Bool {
        try await observer.query(running, [text])[0].decode(0, as: Int.self) > 0
    }

    private static let running = Statement(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND strpos(query, $1) > 0
        """
    )
}

func withFixture<T>(_ body: (Fixture) async throws -> T) async throws -> T {
    try await withDatabase { try await body(Fixture(configuration: $0)) }
}

/// Returns the `PostgresError` that `body` throws, or `nil` if it returns or throws another error.
func failure<T>(_ body: () async throws -> T) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

extension PostgresConnection {
    /// Returns the number that a query selects.
    func number(_ sql: String) async throws -> Int {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }

    /// Returns the text that a query selects.
    func text(_ sql: String) async throws -> String {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }
}
