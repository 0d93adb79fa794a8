import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// Sends requests over a connection, one after the other, and reads the beginning of each answer.
///
/// Over TLS nothing is sent before the certificate has named the receiver. The rest of a long answer is not read: the
/// connection is closed. After a whole answer the connection waits for the next request, if the receiver keeps it open.
final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Exchange
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        /// The connection is not open, or its certificate is not checked.
        case opening(Exchange)
        /// A request was sent.
        case busy(Exchange)
        /// The connection waits for the next request.
        case waiting
        /// The connection is being closed.
        case ended
    }

    private let receiver: Receiver
    private let isAddress: Bool
    private let limit: Int
    private let kept: KeptConnections
    private let openedAt: NIODeadline
    private var state: State
    private var isReused = false
    private var status: Int?
    private var staysOpen = false
    private var body: [UInt8] = []

    /// Creates the handler of a new connection.
    ///
    /// - Parameters:
    ///   - first: The first request.
    ///   - receiver: The receiver.
    ///   - limit: The number of bytes of an answer that are read.
    ///   - kept: Keeps the connection between two requests.
    init(_ first: Exchange, to receiver: Receiver, limit: Int, kept: KeptConnections) {
        self.receiver = receiver
        isAddress = first.request.url.address != nil
        self.limit = limit
        self.kept = kept
        openedAt = kept.instant
        state = .opening(first)
    }

    // MARK: Requests

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive, !receiver.isEncrypted { sendFirst(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !receiver.isEncrypted { sendFirst(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            if isAddress || certificate?.names(receiver.host) == true {
                sendFirst(context)
            } else {
                errorCaught(context: context, error: WebhookFault(AttemptFault.otherHost.sentence))
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func sendFirst(_ context: ChannelHandlerContext) {
        if case .opening(let exchange) = state { send(exchange, context) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        guard case .waiting = state else {
            exchange.promise.fail(StaleConnection())
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        isReused = true
        send(exchange, context)
        promise?.succeed(())
    }

    private func send(_ exchange: Exchange, _ context: ChannelHandlerContext) {
        state = .busy(exchange)
        status = nil
        staysOpen = false
        body = []
        let request = exchange.request
        let head = HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: request.url.target,
            headers: request.headers
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Closes the connection for an exchange that ended without an answer, also if its request was not written yet.
    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let exchange = event as? Exchange else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        promise?.succeed(())
        switch state {
        case .opening(let own) where own === exchange: close(context)
        case .busy(let own) where own === exchange: close(context)
        // The exchange has taken this connection and ended before its write. Nothing else would end the connection after that write.
        case .waiting: close(context)
        case .opening, .busy, .ended: break
        }
    }

    // MARK: Answers

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .busy(let exchange) = state else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            // After 101 the connection would speak another protocol, which no request asks for.
            staysOpen = head.isKeepAlive && head.status.code >= 200
        case .body(let part):
            body += part.readableBytesView.prefix(limit - body.count)
            if body.count >= limit {
                staysOpen = false
                finish(exchange, context)
            }
        case .end: finish(exchange, context)
        }
    }

    private func finish(_ exchange: Exchange, _ context: ChannelHandlerContext) {
        guard let status else { return }
        let answer = WebhookAnswer(status: status, body: body)
        if staysOpen, context.channel.isActive {
            // Before the answer is known: the next request then finds the connection.
            state = .waiting
            if !kept.keep(context.channel, to: receiver, openedAt: openedAt) { close(context) }
        } else {
            close(context)
        }
        exchange.promise.succeed(answer)
    }

    // MARK: Ends

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Bytes that cannot be read are the beginning of an answer, so the connection was not stale.
        let isUnreadable = error is HTTPParserError || error is NIOHTTPDecoderError
        end(with: isReused && status == nil && !isUnreadable ? StaleConnection() : error)
        close(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let fault = WebhookFault(AttemptFault.closed.sentence)
        end(with: isReused && status == nil ? StaleConnection() : fault)
        if case .waiting = state { kept.remove(context.channel, to: receiver) }
        state = .ended
        context.fireChannelInactive()
    }

    private func end(with error: any Error) {
        switch state {
        case .opening(let exchange), .busy(let exchange): exchange.promise.fail(error)
        case .waiting, .ended: break
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        if case .waiting = state { kept.remove(context.channel, to: receiver) }
        state = .ended
        context.close(promise: nil)
    }
}

extension NIOSSLCertificate {
    /// Returns true if the certificate names a host: exactly, or with `*` for the first label (RFC 9525 section 6.3).
    ///
    /// swift-nio-ssl is also content with a certificate that names the address of the connection. Whoever forges an answer
    /// of a name server can have one for an address of their own.
    fileprivate func names(_ host: String) -> Bool {
        let host = host.lowercased()
        return _subjectAlternativeNames()
            .contains { name in
                guard name.nameType == .dnsName else { return false }
                let pattern = String(decoding: name.contents, as: UTF8.self).lowercased()
                if pattern == host { return true }
                guard pattern.hasPrefix("*."), let dot = host.firstIndex(of: ".") else { return false }
                return host[dot...] == pattern.dropFirst()
            }
    }
}
