public import LocalPostgres
import Locks
public import Postgres

/// A PostgreSQL server with a synchronous standby, both of a single test.
public struct ReplicatedServer: Sendable {
    /// The primary, reached as a superuser.
    public let primary: TestServer
    /// The process of the primary.
    public let primaryProcess: LocalPostgres
    /// The process of the standby.
    public let standbyProcess: LocalPostgres

    /// Returns the superuser's configuration for a database of the standby, which must run.
    public func standby(database: String = "postgres") async throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(await standbyProcess.connectionString(database: database))
        configuration.connectDeadline = .ample
        configuration.queryDeadline = .ample
        return configuration
    }

    /// Makes the standby a primary, which accepts changes when this method returns.
    public func promoteStandby() async throws {
        try await withSuperuser(try await standby()) { try await $0.script("SELECT pg_promote(true, 600)") }
    }

    /// Waits until the primary has a synchronous standby.
    public func waitForStandby() async throws {
        try await withSuperuser(primary.configuration()) { connection in
            try await eventually("the standby follows") {
                try await !connection.query(Self.following).isEmpty
            }
        }
    }

    /// Waits until commits wait for the standby.
    ///
    /// - Parameter count: The number of sessions that wait, at least.
    /// - Throws: `NeverHappened`, and the errors of the database.
    public func waitForCommits(_ count: Int = 1) async throws {
        try await withSuperuser(primary.configuration()) { connection in
            try await eventually("\(count) commits wait for the standby") {
                try await connection.query(Self.waiting).count >= count
            }
        }
    }

    /// The number of sessions whose commit waits for the standby.
    public var waitingCommits: Int {
        get async throws {
            try await withSuperuser(primary.configuration()) { try await $0.query(Self.waiting).count }
        }
    }

    /// Cancels every wait for the standby, as an administrator could, until `body` returns.
    ///
    /// The last cancellation has been sent when this method returns. A later one could hit the next statement of the caller, because a
    /// query that finds a wait cancels it a moment later.
    public func cancellingWaits<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        let superuser = primary.configuration()
        let isOver = Locked(false)
        let canceller = Task {
            try await withSuperuser(superuser) { connection in
                while !isOver.withLock(\.self) {
                    try await connection.query(Self.cancel)
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
        let result: Result<T, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        isOver.withLock { $0 = true }
        _ = await canceller.result
        return try result.get()
    }

    private static let following = Statement(
        "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'",
        prepared: false
    )
    private static let waiting = Statement(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        prepared: false
    )
    private static let cancel = Statement(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        prepared: false
    )
}

private func withSuperuser<T>(
    _ configuration: PostgresConfiguration,
    _ body: (PostgresConnection) async throws -> T
) async throws -> T {
    try await PostgresConnection.with(configuration, reactor: try TestReactor.shared, logger: TestServer.silent, body)
}

/// Runs `body` with a primary of its own and a synchronous standby of it, which it may kill, stop, restart and promote.
///
/// The primary's `synchronous_commit` is off by default, so only sessions that set it wait for the standby.
public func withReplicatedServer<T>(_ body: (ReplicatedServer) async throws -> T) async throws -> T {
    try await withServer(maximumConnections: 100) { primary, process in
        let standby = try await waiting(for: "a standby starts") { try await process.makeStandby(named: "standby") }
        let server = ReplicatedServer(primary: primary, primaryProcess: process, standbyProcess: standby)
        do {
            try await withSuperuser(primary.configuration()) { connection in
                try await connection.script("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
                try await connection.script("SELECT pg_reload_conf()")
            }
            try await server.waitForStandby()
            let value = try await body(server)
            await standby.stop(mode: .immediate)
            try await standby.removeFolder()
            return value
        } catch {
            await standby.stop(mode: .immediate)
            try? await standby.removeFolder()
            throw error
        }
    }
}
