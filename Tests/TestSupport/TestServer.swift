import FoundationEssentials
public import LocalPostgres
import Logging
public import Postgres

/// A PostgreSQL server to test against, with a superuser who may do everything.
public struct TestServer: Sendable {
    /// The server that all tests of this process share.
    ///
    /// The one that `MORTISE_TEST_DATABASE_URL` names (as a superuser), else a throw-away cluster, which is gone when the process is.
    public static var shared: TestServer {
        get async throws { try await started.value }
    }

    private static let started = Task {
        if let url = ProcessInfo.processInfo.environment["MORTISE_TEST_DATABASE_URL"] {
            // A superuser named like a schema, such as "mortise", would find and create things there by PostgreSQL's default path.
            let superuser = try PostgresConfiguration(url).setting("search_path", "public")
            return TestServer(local: nil, superuser: superuser)
        }
        return try await TestServer.throwaway(maximumConnections: 400)
    }

    /// How to connect to a database of the shared server as the superuser.
    public static func configuration(database: String = "postgres") async throws -> PostgresConfiguration {
        try await shared.configuration(database: database)
    }

    /// What runs the server; `nil` when somebody else does.
    public let local: LocalPostgres?
    private let superuser: PostgresConfiguration

    /// How to connect to a database of this server as the superuser.
    ///
    /// With deadlines that a busy machine does not reach, so that only a test that sets its own depends on time.
    public func configuration(database: String = "postgres") -> PostgresConfiguration {
        var configuration = superuser.database(database)
        configuration.connectDeadline = .ample
        configuration.queryDeadline = .ample
        return configuration
    }

    /// Starts a server with empty data; whoever asked for it stops it.
    static func throwaway(maximumConnections: Int, settings: [String: String] = [:]) async throws -> TestServer {
        var options = LocalPostgres.Options.throwaway
        options.maximumConnections = maximumConnections
        options.settings = settings
        let logger = Logger(label: "test.server", factory: { _ in SwiftLogNoOpLogHandler() })
        let local = try await LocalPostgres.throwaway(options: options, logger: logger)
        return TestServer(local: local, superuser: try PostgresConfiguration(await local.connectionString))
    }
}

/// How many servers of their own tests may run at once: each costs some 40 MB and a second of work.
private let servers = Semaphore(slots: 2, for: "a server")

/// Starts a server that belongs to one test, which may kill, stop and restart it through `server.local`.
///
/// - Parameters:
///   - maximumConnections: the server's `max_connections`, 10 at least.
///   - settings: further settings, as in `postgresql.conf`.
///   - body: what to do with the server; afterwards it is stopped and its data are removed.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws, or why the server did not start.
public func withServer<T>(
    maximumConnections: Int = 50,
    settings: [String: String] = [:],
    _ body: (TestServer, LocalPostgres) async throws -> T
) async throws -> T {
    try await servers.withSlot {
        let server = try await waiting(for: "a PostgreSQL server starts") {
            try await TestServer.throwaway(maximumConnections: maximumConnections, settings: settings)
        }
        guard let local = server.local else { preconditionFailure("a throw-away server is a local one") }
        do {
            let value = try await body(server, local)
            await local.stop(mode: .immediate)
            return value
        } catch {
            await local.stop(mode: .immediate)
            throw error
        }
    }
}
