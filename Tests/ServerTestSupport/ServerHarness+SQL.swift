package import Keys
import Locks
import Logging
package import Postgres
import Server
import Service
import Tenancy
import TestSupport
import Testing
import Verification

/// Changes of databases that bypass the server.
extension ServerHarness {
    /// Returns the superuser's configuration for the database of a workspace of the organization `default`.
    package func workspaceDatabase(_ slug: String = "default") async throws -> PostgresConfiguration {
        let name = try await rows(
            installation.control,
            """
            SELECT w.database FROM control.workspaces w JOIN control.organizations o ON o.id = w.organization_id
            WHERE w.slug = \(PostgresConnection.quote(literal: slug)) AND o.slug = 'default'
            """
        )
        .first.map { try $0.decode(0, as: String.self) }
        return installation.server.configuration(database: try #require(name))
    }

    /// Executes SQL as the superuser in the database of a workspace.
    package func inWorkspace(_ sql: String, slug: String = "default") async throws {
        try await script(try await workspaceDatabase(slug), sql)
    }

    /// Executes SQL as the superuser.
    package func script(_ database: PostgresConfiguration, _ sql: String) async throws {
        try await withConnection(database) { try await $0.script(sql) }
    }

    /// Queries as the superuser.
    package func rows(_ database: PostgresConfiguration, _ sql: String) async throws -> Rows {
        try await withConnection(database) { try await $0.query(Statement(sql, prepared: false)) }
    }

    /// Makes a database unavailable: ends all connections, and refuses new connections.
    ///
    /// - Throws: `NeverHappened`, and the errors of the database.
    package func cutOff(_ database: PostgresConfiguration) async throws {
        let name = try #require(database.database)
        let (quoted, renamed) = (
            PostgresConnection.quote(identifier: name), PostgresConnection.quote(identifier: "\(name)_renamed")
        )
        try await administer("ALTER DATABASE \(quoted) ALLOW_CONNECTIONS false")
        // A client that was connecting at the same time appears a moment later. Renaming a database waits for such
        // clients, and fails while somebody is connected (CountOtherDBBackends in PostgreSQL's source).
        try await eventually("nobody is connected") {
            do {
                try await administer(
                    """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                    WHERE datname = \(PostgresConnection.quote(literal: name))
                    """
                )
                try await administer("ALTER DATABASE \(quoted) RENAME TO \(renamed)")
                try await administer("ALTER DATABASE \(renamed) RENAME TO \(quoted)")
                return true
            } catch let error as PostgresError where error.sqlState == .objectInUse {
                return false
            }
        }
    }

    /// Makes a database available again.
    package func restore(_ database: PostgresConfiguration) async throws {
        let name = PostgresConnection.quote(identifier: try #require(database.database))
        try await administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
    }

    /// Sends a request while another transaction is open.
    ///
    /// Commits the transaction when the request waits for it or is answered.
    ///
    /// - Parameters:
    ///   - sql: The SQL of the transaction.
    ///   - send: Sends the request.
    /// - Returns: The answer.
    /// - Throws: `NeverHappened`, and the errors of `send`.
    package func during(_ sql: String, _ send: @escaping @Sendable () async throws -> Answer) async throws -> Answer {
        try await withConnection(installation.control) { connection in
            try await connection.script("BEGIN; \(sql)")
            let answered = Locked(false)
            func sendAndNote() async throws -> Answer {
                defer { answered.withLock { $0 = true } }
                return try await send()
            }
            async let answer = sendAndNote()
            try await eventually("the request waits or is answered") {
                if answered.withLock({ $0 }) { return true }
                let waiting = try await rows(
                    installation.control,
                    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                return !waiting.isEmpty
            }
            try await connection.script("COMMIT")
            return try await answer
        }
    }

    /// Waits until a number of sessions of a database wait for a lock.
    ///
    /// - Parameters:
    ///   - count: The number of sessions.
    ///   - event: The event, for the error.
    ///   - database: The database; `nil` is the control database.
    /// - Throws: `NeverHappened`, and the errors of the database.
    package func waiters(_ count: Int, _ event: String, on database: PostgresConfiguration? = nil) async throws {
        try await eventually(event) {
            try await rows(
                database ?? installation.control,
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            .count == count
        }
    }

    /// Runs `body` with a connection of the superuser, and then lets the server forget the keys that it has in memory: no fence covers SQL
    /// by hand.
    package func withConnection<T>(
        _ database: PostgresConfiguration,
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let value = try await PostgresConnection.with(
            database,
            reactor: try TestReactor.shared,
            logger: Logger(label: "test.sql", factory: { _ in SwiftLogNoOpLogHandler() }),
            body
        )
        server.platform.verifier.keys.removeAll()
        return value
    }

    /// Returns the time of the control database.
    package func databaseTime() async throws -> Timestamp {
        let rows = try await rows(installation.control, "SELECT clock_timestamp()")
        let time = try #require(try rows.first?.decode(0, as: PostgresTimestamp.self))
        return Timestamp(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch)
    }
}
