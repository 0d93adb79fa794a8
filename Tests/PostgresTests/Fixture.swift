import Logging
import Postgres
import TestSupport

/// A fresh database, how to reach it, and what was logged meanwhile.
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

    func pool(
        _ options: PostgresPoolOptions = PostgresPoolOptions(leaseDeadline: .ample),
        _ configuration: PostgresConfiguration? = nil
    ) throws -> PostgresPool {
        PostgresPool(
            configuration ?? self.configuration,
            options: options,
            reactor: try TestReactor.shared,
            logger: log.logger
        )
    }

    func pipeline(_ configuration: PostgresConfiguration? = nil) throws -> PostgresPipeline {
        PostgresPipeline(
            configuration ?? self.configuration,
            reactors: [try TestReactor.shared],
            logger: log.logger
        )
    }

    /// Waits until the server executes a statement that contains `text` in this database, or until it executes none.
    func waitUntilRunning(_ text: String, _ isRunning: Bool = true) async throws {
        let observer = try await connect()
        try await eventually(isRunning ? "\(text) runs" : "\(text) has ended") {
            let rows = try await observer.query(Self.running, [text])
            return (try rows[0].decode(0, as: Int.self) > 0) == isRunning
        }
        await observer.close()
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

/// The `PostgresError` that `body` ends with; `nil` if it ends well or with another error.
func failure<T>(_ body: () async throws -> T) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

extension PostgresConnection {
    /// One number.
    func number(_ sql: String) async throws -> Int {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }

    /// One text.
    func text(_ sql: String) async throws -> String {
        try await query(Statement(sql, prepared: false))[0].decode(0)
    }
}
