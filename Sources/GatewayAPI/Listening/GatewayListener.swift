package import Connections
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Surfaces

/// Accepts the connections of gateways, and answers their checks until the server stops.
///
/// The listener stops in the order that loses no request: it accepts no more connections, then the open ones end after their last
/// answers, and then ``run()`` returns. A cancellation cancels the checks and closes the connections at once.
package struct GatewayListener: ServiceLifecycle.Service, CustomStringConvertible {
    /// The name in the log.
    package var description: String { "gateway listener" }

    /// The settings of a listener.
    package struct Configuration: Sendable, Equatable {
        /// The addresses.
        ///
        /// Empty by default, which means no listener.
        package var addresses: [GatewayAddress] = []
        /// The addresses for Envoy's checks over gRPC.
        ///
        /// Empty by default.
        package var rpcAddresses: [GatewayAddress] = []
        /// True if addresses that other machines can reach are allowed.
        ///
        /// Defaults to false.
        package var isOpen = false

        /// Creates a configuration with default values.
        package init() {}

        /// All addresses: those for HTTP/1.1, and then those for gRPC.
        package var all: [GatewayAddress] { addresses + rpcAddresses }
    }

    private let configuration: Configuration
    private let eventLoops: any EventLoopGroup
    private let nextExecutor: @Sendable () -> any TaskExecutor
    private let service: GatewayService
    private let rpc: GRPCService
    private let logger: Logger
    private let onListening: @Sendable ([SocketAddress]) async -> Void

    /// Creates a listener, which does not listen yet.
    ///
    /// - Parameters:
    ///   - configuration: The addresses.
    ///   - eventLoops: The threads that read and write.
    ///   - nextExecutor: Returns the thread that runs the checks of the next connection.
    ///   - limits: The limits of each connection.
    ///   - connections: The open connections, whose number is limited.
    ///   - routes: The answers.
    ///   - logger: The logger.
    ///   - onListening: A closure that receives the addresses, in the order of the configuration's `all`, when connections are accepted.
    package init(
        _ configuration: Configuration,
        eventLoops: any EventLoopGroup,
        nextExecutor: @escaping @Sendable () -> any TaskExecutor,
        limits: ConnectionLimits,
        connections: OpenConnections,
        routes: GatewayRoutes,
        logger: Logger,
        onListening: @escaping @Sendable ([SocketAddress]) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoops = eventLoops
        self.nextExecutor = nextExecutor
        service = GatewayService(limits: limits, connections: connections, routes: routes)
        rpc = GRPCService(limits: limits, calls: GRPCCalls(routes))
        self.logger = logger
        self.onListening = onListening
    }

    /// Listens until the task's service group stops, or the task is cancelled.
    ///
    /// - Throws: `GatewayAddressFault`, or the system's error for an address. No address stays open then.
    package func run() async throws {
        let listeners = try await listen()
        let connections = service.connections
        // The connections end too when a listener fails by itself.
        for (listener, address) in zip(listeners, configuration.all) {
            listener.closeFuture.whenComplete { _ in
                // While the connections end, a new server can take the path.
                if case .unixSocket(let path) = address.place { SocketFile.remove(path) }
                connections.drain()
            }
        }
        await onListening(listeners.compactMap(\.localAddress))
        @Sendable func closeListeners() {
            for listener in listeners { listener.close(promise: nil) }
        }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await connections.ended()
            } onGracefulShutdown: {
                closeListeners()
            }
        } onCancel: {
            closeListeners()
            connections.abort()
        }
        // A listener that failed by itself leaves the others open.
        for listener in listeners {
            try? await listener.close().get()
            // The file of a socket is removed by then.
            try? await listener.closeFuture.get()
        }
    }

    private func listen() async throws -> [any Channel] {
        var listeners: [any Channel] = []
        do {
            for address in configuration.addresses { listeners.append(try await listen(on: address, configure)) }
            for address in configuration.rpcAddresses { listeners.append(try await listen(on: address, configureRPC)) }
        } catch {
            for listener in listeners { try? await listener.close().get() }
            throw error
        }
        return listeners
    }

    private func listen(
        on address: GatewayAddress,
        _ configure: @escaping @Sendable (any Channel, OpenConnections.Entry) throws -> Void
    ) async throws -> any Channel {
        let bootstrap = ServerBootstrap.accepting(service.connections, on: eventLoops, logger: logger) {
            if address.hasProxyHeader { try $0.pipeline.syncOperations.addHandler(ProxyHeaderHandler(service)) }
            try configure($0, $1)
        }
        switch address.place {
        case .tcp(let host, let port):
            // A name can stand for any address, so the resolved address counts.
            let resolved = try await NIOThreadPool.singleton.runIfActive {
                // A name server can take seconds.
                try SocketAddress.makeAddressResolvingHost(host, port: port)
            }
            guard configuration.isOpen || resolved.clientAddress?.isLoopback == true else {
                throw GatewayAddressFault.notLocal(address)
            }
            return try await bootstrap.bind(to: resolved).get()
        case .unixSocket(let path):
            do throws(SocketFileFault) {
                try SocketFile.makeRoom(at: path)
            } catch {
                throw GatewayAddressFault(address, error.clause)
            }
            let listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
            SocketFile.share(path)
            return listener
        }
    }

    private func configureRPC(_ channel: any Channel, _ entry: OpenConnections.Entry) throws {
        let pipeline = channel.pipeline.syncOperations
        let connection = HTTP2ConnectionHandler(rpc.limits, service.connections, entry, since: .now())
        try connection.add(to: pipeline, GRPCHandler.limits)
        try pipeline.addHandler(GRPCHandler(rpc, nextExecutor(), connection))
    }

    private func configure(_ channel: any Channel, _ entry: OpenConnections.Entry) throws {
        let pipeline = channel.pipeline.syncOperations
        // A little more than is served, so that most heads that are too large have the answer that names the part.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 72 * 1024
        limits.maxHeaderListSize = 72 * 1024
        limits.maxHeaderFieldCount = 1000
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(GatewayHandler(service, nextExecutor(), entry, .gateway))
    }
}
