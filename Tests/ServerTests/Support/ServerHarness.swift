import AsyncHTTPClient
import Keys
import Logging
import NIOCore
import Postgres
import Server
import Service
import ServiceLifecycle
import Tenancy
import TestSupport
import Testing

/// How many installations exist at once: Swift Testing starts all tests together, and each installation makes databases.
private let installationGate = Gate(width: 3)

/// The names and secrets of one throw-away installation on a PostgreSQL server.
struct TestInstallation: Sendable {
    let installation: Installation
    let secrets: SecretsFile
    let server: TestServer

    init(_ server: TestServer) throws {
        self.server = server
        let name = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        installation = try Installation(prefix: "t\(name)")
        var generator = SystemRandomNumberGenerator()
        let id = try #require(SecretID("a"))
        secrets = try #require(SecretsFile.random(id: id, using: &generator))
    }

    /// The superuser's way to the control database, which does not exist at first.
    var control: PostgresConfiguration { server.configuration(database: "\(installation.prefix)_control") }

    /// What a server of this installation is made from.
    func configuration() -> ServerConfiguration {
        var configuration = ServerConfiguration(database: control, secrets: secrets, version: "1.0.0-test")
        configuration.listener = .tcp(host: "127.0.0.1", port: 0)
        configuration.installation = installation
        return configuration
    }

    /// Removes every database and role of the installation.
    func remove() async throws {
        let maintenance = try await PostgresConnection.connect(
            server.configuration(),
            reactor: try TestReactor.shared,
            logger: Logger(label: "test.cleanup", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let rows = try await maintenance.query(
            Statement("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)", prepared: false),
            [installation.prefix]
        )
        for row in rows {
            let name = PostgresConnection.quote(identifier: try row.decode(0, as: String.self))
            try? await maintenance.script("ALTER DATABASE \(name) IS_TEMPLATE false")
            try await maintenance.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", deadline: .seconds(60))
        }
        try await maintenance.script(
            "DROP ROLE IF EXISTS \(PostgresConnection.quote(identifier: installation.runtimeRole))"
        )
        await maintenance.close()
    }
}

/// Makes an installation on the shared server for one test, and removes it afterwards.
func withInstallation<T>(_ body: (TestInstallation) async throws -> T) async throws -> T {
    try await installationGate.withPlace {
        let installation = try TestInstallation(try await TestServer.shared)
        do {
            let value = try await body(installation)
            try await Task { try await installation.remove() }.value
            return value
        } catch {
            // The test's own error is the one to report.
            try? await Task { try await installation.remove() }.value
            throw error
        }
    }
}

/// A running server: the one that the program runs, on a real socket, over a real PostgreSQL.
struct ServerHarness: Sendable {
    let installation: TestInstallation
    let server: MortiseServer
    let address: SocketAddress
    let log: LogCollector
    let api: APIClient
    let group: ServiceGroup

    /// The token of the first operator key.
    var operatorToken: String { server.firstStart.operatorToken?.reveal() ?? "" }

    /// The token of the first admin key of the organization `default`.
    var adminToken: String { server.firstStart.adminToken?.reveal() ?? "" }

    /// Tells the server to stop, as SIGTERM would.
    func stop() async { await group.triggerGracefulShutdown() }
}

/// Runs a server of an installation while `body` runs.
func withMortise<T: Sendable>(
    of installation: TestInstallation,
    log: LogCollector = LogCollector(),
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ServerHarness) async throws -> T
) async throws -> T {
    var configuration = installation.configuration()
    configure(&configuration)
    let server = try await MortiseServer.make(configuration, logger: log.logger(label: "mortise"))
    let (addresses, continuation) = AsyncStream.makeStream(of: SocketAddress.self)
    let service = ServerService(server: server) { continuation.yield($0) }
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [service], logger: log.logger))
    let running = Task {
        defer { continuation.finish() }
        try await group.run()
    }
    let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: HTTPClient.Configuration(timeout: .init(connect: .seconds(10)))
    )
    do {
        let first = await addresses.first { _ in true }
        guard let address = first else {
            try await running.value
            throw NeverListened()
        }
        let api = APIClient(client: client, address: address, endpoints: server.native.table.endpoints)
        let harness = ServerHarness(
            installation: installation,
            server: server,
            address: address,
            log: log,
            api: api,
            group: group
        )
        let value = try await body(harness)
        try await client.shutdown()
        await group.triggerGracefulShutdown()
        try await running.value
        return value
    } catch {
        try? await client.shutdown()
        await group.triggerGracefulShutdown()
        _ = await running.result
        throw error
    }
}

/// Runs a server of its own for one test.
func withMortise<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ServerHarness) async throws -> T
) async throws -> T {
    try await withInstallation { installation in
        try await withMortise(of: installation, configure: configure, body)
    }
}

/// The server ended before it listened.
struct NeverListened: Error {}

/// The server as a service of the test's group, which can then tell it to stop.
private struct ServerService: ServiceLifecycle.Service {
    let server: MortiseServer
    let onListening: @Sendable (SocketAddress) -> Void

    func run() async throws {
        try await server.run(signals: []) { [onListening] in onListening($0) }
    }
}
