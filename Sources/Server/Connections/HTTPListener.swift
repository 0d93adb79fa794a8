package import Connections
package import Endpoints
package import Hummingbird
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// Accepts connections, and answers their requests until the server stops.
///
/// The listener stops in the order that loses no request: it accepts no more connections, then the open ones end after their last
/// answer, and then ``run()`` returns. A cancellation cancels the requests and closes the connections at once.
package struct HTTPListener: ServiceLifecycle.Service {
    private let address: ListenerPlace
    private let threads: ServingThreads
    private let connections: OpenConnections
    private let service: ConnectionService
    private let onListening: @Sendable (SocketAddress) async -> Void

    /// Creates a listener, which does not listen yet.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - threads: The threads that read, answer and write.
    ///   - limits: The limits of each connection.
    ///   - connections: The open connections, whose number is limited.
    ///   - responder: The routes. Their outermost layer answers every error.
    ///   - logger: The logger of the requests.
    ///   - onListening: A closure that receives the address when connections are accepted.
    package init<Responder: HTTPResponder>(
        _ address: ListenerPlace,
        threads: ServingThreads,
        limits: ConnectionLimits,
        connections: OpenConnections,
        responder: Responder,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) where Responder.Context == MortiseRequestContext {
        self.address = address
        self.threads = threads
        self.connections = connections
        self.onListening = onListening
        service = ConnectionService(limits: limits, connections: connections, logger: logger) { request, context in
            do {
                return try await responder.respond(to: request, context: context)
            } catch {
                // The outermost layer throws nothing, which the type of the routes does not say.
                return ErrorRenderer.problemJSON.render(.internalError, context)
            }
        }
    }

    /// Listens until the task's service group stops, or the task is cancelled.
    ///
    /// - Throws: The error of the address, such as one that is in use.
    package func run() async throws {
        let listener = try await listen()
        // The connections end too when the listener fails by itself.
        listener.closeFuture.whenComplete { [connections] _ in connections.drain() }
        if let address = listener.localAddress { await onListening(address) }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await connections.ended()
            } onGracefulShutdown: {
                listener.close(promise: nil)
            }
        } onCancel: { [connections] in
            listener.close(promise: nil)
            connections.abort()
        }
    }

    private func listen() async throws -> any Channel {
        let bootstrap = ServerBootstrap.accepting(connections, on: threads.eventLoops) { [threads, service] in
            try Self.configure($0.pipeline.syncOperations, service, threads.next, $1)
        }
        return switch address {
        case .tcp(let host, let port): try await bootstrap.bind(host: host, port: port).get()
        case .unixSocket(let path):
            try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
    }

    private static func configure(
        _ pipeline: ChannelPipeline.SynchronousOperations,
        _ service: ConnectionService,
        _ executor: any TaskExecutor,
        _ entry: OpenConnections.Entry
    ) throws {
        // The limits of a request's head, and of the trailers of its body.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        limits.maxHeaderListSize = 64 * 1024
        limits.maxHeaderFieldCount = 200
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(ConnectionHandler(service, executor, entry))
    }
}

/// The parts that all connections of a listener share.
struct ConnectionService: Sendable {
    let limits: ConnectionLimits
    let connections: OpenConnections
    let logger: Logger
    let date = DateField()
    let respond: @Sendable (Request, MortiseRequestContext) async -> Response
}
