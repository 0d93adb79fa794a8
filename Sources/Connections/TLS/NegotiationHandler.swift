package import NIOCore
import NIOSSL
import NIOTLS

/// Waits for the handshake of TLS, and then adds the handlers of the protocol that the client has chosen.
package final class NegotiationHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer

    private let connections: OpenConnections
    private let entry: OpenConnections.Entry
    private let start: NIODeadline
    private let drainingIdle: TimeAmount
    private var deadline: NIODeadline
    private let configure: (any Channel, _ isHTTP2: Bool, _ start: NIODeadline) throws -> Void
    private var timer = DeadlineTimer()
    private var isNegotiated = false

    /// Creates the handler of a connection.
    ///
    /// - Parameters:
    ///   - limits: The limits of the connection. The handshake is a part of the time for the first head.
    ///   - connections: The open connections of the listener.
    ///   - entry: The connection's own entry.
    ///   - configure: Adds the handlers of HTTP/2 or of HTTP/1.1. The last of them removes the entry.
    package init(
        _ limits: ConnectionLimits,
        _ connections: OpenConnections,
        _ entry: OpenConnections.Entry,
        _ configure: @escaping (any Channel, _ isHTTP2: Bool, _ start: NIODeadline) throws -> Void
    ) {
        self.connections = connections
        self.entry = entry
        self.configure = configure
        start = .now()
        deadline = start + TimeAmount(limits.head)
        drainingIdle = TimeAmount(limits.drainingIdle)
        entry.becameIdle(at: start)
    }

    /// Adds the handlers of TLS to a pipeline.
    ///
    /// - Parameters:
    ///   - pipeline: The pipeline of a new connection.
    ///   - certificate: The certificate.
    ///   - plaintext: The answer to a request without TLS.
    /// - Throws: The error of the pipeline or of TLS.
    package func add(
        to pipeline: ChannelPipeline.SynchronousOperations,
        _ certificate: ServerCertificate,
        plaintext: ByteBuffer
    ) throws {
        try pipeline.addHandler(PlaintextHandler(plaintext))
        try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context))
        try pipeline.addHandler(self)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if connections.isDraining { shortenDeadline() }
        setTimer(context)
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer.cancel()
        if !isNegotiated { connections.remove(entry) }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let chosen):
            do {
                // The new handlers own the entry, even if only some of them could be added.
                isNegotiated = true
                try configure(context.channel, chosen == "h2", start)
            } catch {
                connections.remove(entry)
                return context.close(promise: nil)
            }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        case OpenConnections.Request.drain:
            shortenDeadline()
            setTimer(context)
        case OpenConnections.Request.makeRoom: close(context, .room)
        case OpenConnections.Request.abort: context.close(promise: nil)
        // A client that sends nothing more makes no handshake, and one that has spoken plain HTTP has read its answer.
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !(error is ChannelError || error is IOError) { connections.count(.fault) }
        context.close(promise: nil)
    }

    /// Leaves a handshake that is on its way a moment, because the server stops.
    private func shortenDeadline() { deadline = min(deadline, NIODeadline.now() + drainingIdle) }

    private func setTimer(_ context: ChannelHandlerContext) {
        timer.set(deadline, on: context.eventLoop) { [self] in
            timer.fired()
            close(context, .head)
        }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: CloseReason) {
        connections.count(reason)
        context.close(promise: nil)
    }
}
