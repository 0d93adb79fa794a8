import FoundationEssentials
public import LocalPostgres
import Logging
public import Postgres

/// A PostgreSQL server for tests, reached as a superuser.
public struct TestServer: Sendable {
    /// The server that all tests of this process share.
    ///
    /// `MORTISE_TEST_DATABASE_URL` names it, as a superuser. Without that variable it is a new cluster, which ends with the process.
    public static var shared: TestServer {
        get async throws { try await started.value }
    }

    /// A logger that drops every line.
    static let silent = Logger(label: "test.server", factory: { _ in SwiftLogNoOpLogHandler() })

    private static let started = Task {
        if let url = ProcessInfo.processInfo.environment["MORTISE_TEST_DATABASE_URL"] {
            // A superuser named like a schema, such as "mortise", would find and create things there by PostgreSQL's default path.
            let superuser = try PostgresConfiguration(url).setting("search_path", "public")
            return TestServer(local: nil, superuser: superuser)
        }
        // A worker of autovacuum belongs to no role, so an owner without superuser rights could not drop the database that it works in.
        return try await TestServer.throwaway(maximumConnections: 400, settings: ["autovacuum": "off"])
    }

    /// Returns the superuser's configuration for a database of the shared server.
    public static func configuration(database: String = "postgres") async throws -> PostgresConfiguration {
        try await shared.configuration(database: database)
    }

    /// The process of the server; `nil` if the tests did not start it.
    public let local: LocalPostgres?
    private let superuser: PostgresConfiguration

    /// Returns the superuser's configuration for a database of this server.
    ///
    /// Its deadlines are out of a busy machine's reach: only a test that sets its own depends on time.
    public func configuration(database: String = "postgres") -> PostgresConfiguration {
        var configuration = superuser.database(database)
        configuration.connectDeadline = .ample
        configuration.queryDeadline = .ample
        return configuration
    }

    /// The address and the role as a connection string, as `mortise cluster add` takes it.
    public var conninfo: String { configuration().conninfo }

    /// Starts a server with empty data, which the caller stops.
    static func throwaway(maximumConnections: Int, settings: [String: String] = [:]) async throws -> TestServer {
        var options = LocalPostgres.Options.throwaway
        options.maximumConnections = maximumConnections
        options.settings = settings
        let local = try await LocalPostgres.throwaway(options: options, logger: silent)
        return TestServer(local: local, superuser: try PostgresConfiguration(await local.connectionString))
    }
}

extension PostgresConfiguration {
    /// The address and the role as a connection string, without a database.
    package var conninfo: String {
        ["host", "port", "user"].compactMap { key in parameters[key].map { "\(key)='\($0)'" } }.joined(separator: " ")
    }
}

/// The servers that belong to single tests.
private enum OwnServers {
    /// The tests that have servers of their own at the same time.
    ///
    /// A server costs some 40 MB and a second of work.
    static let slots = Semaphore(slots: 2, for: "a server")

    /// True in a test that has a slot, whose second server needs none: two tests that wait for second slots would wait for each other.
    @TaskLocal static var hasSlot: Bool = false
}

/// Runs `body` with a server of its own, which it may kill, stop and restart.
///
/// - Parameters:
///   - maximumConnections: The server's `max_connections`; 10 at least.
///   - settings: Further settings, as in `postgresql.conf`.
///   - body: The test. When it ends, the server is stopped and its data are removed.
/// - Returns: The value of `body`.
/// - Throws: The error of `body`, or of a start that failed.
public func withServer<T>(
    maximumConnections: Int = 50,
    settings: [String: String] = [:],
    _ body: (TestServer, LocalPostgres) async throws -> T
) async throws -> T {
    if OwnServers.hasSlot {
        return try await withThrowaway(maximumConnections: maximumConnections, settings: settings, body)
    }
    return try await OwnServers.slots.withSlot {
        try await OwnServers.$hasSlot.withValue(true) {
            try await withThrowaway(maximumConnections: maximumConnections, settings: settings, body)
        }
    }
}

private func withThrowaway<T>(
    maximumConnections: Int,
    settings: [String: String],
    _ body: (TestServer, LocalPostgres) async throws -> T
) async throws -> T {
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
