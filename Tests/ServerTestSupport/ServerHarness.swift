import AsyncHTTPClient
import Endpoints
import Keys
package import NIOCore
import NativeAPI
package import Server
import Service
package import ServiceLifecycle
package import TestSupport

/// A running server and a client for it.
package struct ServerHarness: Sendable {
    package let installation: TestInstallation
    package let server: MortiseServer
    package let address: SocketAddress
    package let gatewayAddresses: [SocketAddress]
    package let log: LogCollector
    package let api: APIClient
    package let group: ServiceGroup

    package init(_ running: RunningServer, api: APIClient) {
        installation = running.installation
        server = running.server
        address = running.address
        gatewayAddresses = running.gatewayAddresses
        log = running.log
        group = running.group
        self.api = api
    }

    /// The token of the first operator key.
    package var operatorToken: String { server.firstStart.operatorToken?.reveal() ?? "" }

    /// The token of the first admin key of the organization `default`.
    package var adminToken: String { server.firstStart.adminToken?.reveal() ?? "" }

    /// Stops the server like SIGTERM.
    package func stop() async { await group.triggerGracefulShutdown() }
}

/// Runs a server of an installation while `body` runs.
package func withMortise<T: Sendable>(
    of installation: TestInstallation,
    log: LogCollector = LogCollector(),
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ServerHarness) async throws -> T
) async throws -> T {
    try await withRunningServer(of: installation, log: log, configure: configure) { running in
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(timeout: .init(connect: .hours(1)))
        )
        do {
            let endpoints = running.server.native.table.endpoints
            let api = APIClient(client: client, address: running.address, endpoints: endpoints)
            let value = try await body(ServerHarness(running, api: api))
            try await client.shutdown()
            return value
        } catch {
            try? await client.shutdown()
            throw error
        }
    }
}

/// Runs a separate server for one test.
package func withMortise<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (ServerHarness) async throws -> T
) async throws -> T {
    try await withInstallation { installation in
        try await withMortise(of: installation, configure: configure, body)
    }
}
