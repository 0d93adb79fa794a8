package import Connections
package import Endpoints
import HTTPTypes
package import Hummingbird
package import Logging
package import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import ServiceLifecycle

/// Accepts connections, and answers their requests until the server stops.
///
/// The listener stops in the order that loses no request: it accepts no more connections, then the open ones end after their last
/// answer, and then ``run()`` returns. A cancellation cancels the requests and closes the connections at once.
package struct HTTPListener: ServiceLifecycle.Service, CustomStringConvertible {
    /// The name in the log.
    package var description: String { "listener \(address)" }

    private let address: ListenerPlace
    private let threads: ServingThreads
    private let connections: OpenConnections
    private let service: ConnectionService
    private let certificate: ServerCertificate?
    private let onListening: @Sendable (SocketAddress) async -> Void

    /// Creates a listener, which does not listen yet.
    ///
    /// - Parameters:
    ///   - address: The address.
    ///   - certificate: The certificate for TLS. `nil` means plain HTTP/1.1.
    ///   - threads: The threads that read, answer and write.
    ///   - limits: The limits of each connection.
    ///   - connections: The open connections, whose number is limited.
    ///   - responder: The routes. Their outermost layer answers every error.
    ///   - front: The outermost layer of the routes, for the requests that it can answer on the thread of their connection.
    ///   - logger: The logger of the requests.
    ///   - onListening: A closure that receives the address when connections are accepted.
    package init<Responder: HTTPResponder>(
        _ address: ListenerPlace,
        certificate: ServerCertificate? = nil,
        threads: ServingThreads,
        limits: ConnectionLimits,
        connections: OpenConnections,
        responder: Responder,
        front: FrontMiddleware,
        logger: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) where Responder.Context == MortiseRequestContext {
        self.address = address
        self.threads = threads
        self.connections = connections
        self.onListening = onListening
        self.certificate = certificate
        let scheme = certificate == nil ? "http" : "https"
        service = ConnectionService(
            scheme: scheme,
            limits: limits,
            connections: connections,
            logger: logger,
            front: front
        ) { request, context in
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
        listener.closeFuture.whenComplete { [connections, address] _ in
            // While the connections end, a new server can take the path.
            if case .unixSocket(let path) = address { SocketFile.remove(path) }
            connections.drain()
        }
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
        let bootstrap = ServerBootstrap.accepting(connections, on: threads.eventLoops, logger: service.logger) {
            try configure($0, $1)
        }
        return switch address {
        case .tcp(let host, let port): try await bootstrap.bind(host: host, port: port).get()
        case .unixSocket(let path):
            try await listen(at: path, bootstrap)
        }
    }

    private func listen(at path: String, _ bootstrap: ServerBootstrap) async throws -> any Channel {
        do throws(SocketFileFault) {
            try SocketFile.makeRoom(at: path)
        } catch {
            throw SocketAddressFault(path: path, clause: error.clause)
        }
        let listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
        SocketFile.share(path)
        return listener
    }

    private func configure(_ channel: any Channel, _ entry: OpenConnections.Entry) throws {
        let pipeline = channel.pipeline.syncOperations
        guard let certificate else {
            return try addHTTP1(to: pipeline, RequestCarrier.connection(entry, of: connections), since: .now())
        }
        let negotiation = NegotiationHandler(service.limits, connections, entry) { channel, isHTTP2, start in
            if isHTTP2 {
                try addHTTP2(to: channel, entry, since: start)
            } else {
                let carrier = RequestCarrier.connection(entry, of: connections)
                try addHTTP1(to: channel.pipeline.syncOperations, carrier, since: start)
            }
        }
        try negotiation.add(to: pipeline, certificate, plaintext: Self.plaintextAnswer(service.date.value))
    }

    private func addHTTP2(to channel: any Channel, _ entry: OpenConnections.Entry, since start: NIODeadline) throws {
        let pipeline = channel.pipeline.syncOperations
        let connection = HTTP2ConnectionHandler(service.limits, connections, entry, since: start)
        try connection.add(to: pipeline, Self.streamLimits)
        let owner = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let streams = HTTP2StreamMultiplexer(
            mode: .server,
            channel: channel,
            targetWindowSize: Self.streamLimits.window,
            inboundStreamInitializer: { [threads, service] stream in
                stream.eventLoop.makeCompletedFuture {
                    let pipeline = stream.pipeline.syncOperations
                    try pipeline.addHandler(StreamRequestDecoder())
                    let carrier = RequestCarrier.stream(of: owner.value)
                    try pipeline.addHandler(ConnectionHandler(service, threads.next, carrier))
                }
            }
        )
        try pipeline.addHandler(streams)
    }

    /// The limits of a connection of HTTP/2.
    private static let streamLimits = HTTP2Limits(
        streams: 100,
        headers: HeadLimits.bytes,
        window: 65_535,
        streamWindow: 65_535,
        resets: 200,
        controls: 200
    )

    /// Returns the answer to a request without TLS.
    private static func plaintextAnswer(_ date: String) -> ByteBuffer {
        let problem = Problem(
            .invalidRequest,
            detail: "The server speaks HTTPS on this port. Send the request to https://."
        )
        let answer = problem.standalone()
        var bytes = ByteBuffer()
        let head = HTTPResponse(status: answer.status, headerFields: answer.headers)
        bytes.write(head, length: answer.body.readableBytes, date: date, isLast: true)
        bytes.writeImmutableBuffer(answer.body)
        return bytes
    }

    private func addHTTP1(
        to pipeline: ChannelPipeline.SynchronousOperations,
        _ carrier: RequestCarrier,
        since start: NIODeadline
    ) throws {
        // The limits of a request's head, and of the trailers of its body.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = HeadLimits.field
        limits.maxHeaderListSize = HeadLimits.bytes
        limits.maxHeaderFieldCount = HeadLimits.fields
        let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(ConnectionHandler(service, threads.next, carrier, since: start))
    }
}

/// The parts that all connections of a listener share.
struct ConnectionService: Sendable {
    /// The scheme of the requests: `http` or `https`.
    let scheme: String
    let limits: ConnectionLimits
    let connections: OpenConnections
    let logger: Logger
    let date = DateField()
    let front: FrontMiddleware
    let respond: @Sendable (Request, MortiseRequestContext) async -> Response
}

/// An error that says that a server cannot listen on a Unix-domain socket.
package struct SocketAddressFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the socket.
    package let path: String
    /// The end of a sentence whose subject is the address, and the next step.
    package let clause: String

    /// A sentence about the address, and the next step.
    package var description: String { "The address unix:\(path) \(clause)" }
}
