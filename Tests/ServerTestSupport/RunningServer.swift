import GatewayAPI
import Keys
import Logging
package import NIOCore
package import Server
import Service
package import ServiceLifecycle
package import TestSupport

/// A running server with the program's configuration, a real socket and a real PostgreSQL.
package struct RunningServer: Sendable {
    /// The installation of the server.
    package let installation: TestInstallation
    /// The server itself.
    package let server: MortiseServer
    /// The address of the listener.
    package let address: SocketAddress
    /// The addresses for gateways.
    package let gatewayAddresses: [SocketAddress]
    /// The log of the server.
    package let log: LogCollector
    /// The service group that runs the server.
    package let group: ServiceGroup

    /// The URL of the server.
    package var url: String { "http://127.0.0.1:\(address.port ?? 0)" }

    /// The token of the first operator key.
    package var operatorToken: String { server.firstStart.operatorToken?.reveal() ?? "" }

    /// The token of the first admin key of the organization `default`.
    package var adminToken: String { server.firstStart.adminToken?.reveal() ?? "" }
}

/// Runs a server of an installation while `body` runs.
package func withRunningServer<T: Sendable>(
    of installation: TestInstallation,
    log: LogCollector = LogCollector(),
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (RunningServer) async throws -> T
) async throws -> T {
    var configuration = installation.configuration()
    configure(&configuration)
    let server = try await waiting(for: "a server is made") {
        try await MortiseServer.make(configuration, logger: log.logger(label: "mortise"))
    }
    let (addresses, continuation) = AsyncStream.makeStream(of: SocketAddress.self)
    let (gateways, gatewayContinuation) = AsyncStream.makeStream(of: [SocketAddress].self)
    let service = ServerService(server: server) {
        continuation.yield($0)
    } onGatewayListening: {
        gatewayContinuation.yield($0)
    }
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [service], logger: log.logger))
    let running = Task {
        defer {
            continuation.finish()
            gatewayContinuation.finish()
        }
        try await group.run()
    }
    do {
        let first = await waiting(for: "the server listens") { await addresses.first { _ in true } }
        guard let address = first else {
            // The stream also ends with the task.
            try Task.checkCancellation()
            try await running.value
            throw NeverListened()
        }
        var gatewayAddresses: [SocketAddress] = []
        if !configuration.gateway.all.isEmpty {
            let found = await waiting(for: "the server listens for gateways") { await gateways.first { _ in true } }
            guard let found else {
                try Task.checkCancellation()
                try await running.value
                throw NeverListened()
            }
            gatewayAddresses = found
        }
        let value = try await body(
            RunningServer(
                installation: installation,
                server: server,
                address: address,
                gatewayAddresses: gatewayAddresses,
                log: log,
                group: group
            )
        )
        await group.triggerGracefulShutdown()
        try await waiting(for: "the server stops") { try await running.value }
        return value
    } catch {
        await group.triggerGracefulShutdown()
        _ = await waiting(for: "the server stops") { await running.result }
        throw error
    }
}

/// Runs a separate server for one test.
package func withRunningServer<T: Sendable>(
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (RunningServer) async throws -> T
) async throws -> T {
    try await withInstallation { installation in
        try await withRunningServer(of: installation, configure: configure, body)
    }
}

/// The error of a server that ends before it listens.
package struct NeverListened: Error {}

/// The server as a service of the test's group, which can stop the server.
private struct ServerService: ServiceLifecycle.Service, CustomStringConvertible {
    let description = "server"
    let server: MortiseServer
    let onListening: @Sendable (SocketAddress) -> Void
    let onGatewayListening: @Sendable ([SocketAddress]) -> Void

    func run() async throws {
        try await server.run(signals: []) { [onListening] in
            onListening($0)
        } onGatewayListening: { [onGatewayListening] in
            onGatewayListening($0)
        }
    }
}
