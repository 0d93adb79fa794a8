import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// Sends one request over a connection and reads the beginning of its answer.
///
/// Over TLS nothing is sent before the certificate has named the receiver. The rest of a long answer is not read: the
/// connection is closed.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let request: WebhookRequest
    private let limit: Int
    private var promise: EventLoopPromise<WebhookAnswer>?
    private var status: Int?
    private var body: [UInt8] = []

    init(_ request: WebhookRequest, limit: Int, _ promise: EventLoopPromise<WebhookAnswer>) {
        self.request = request
        self.limit = limit
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive, !request.url.isEncrypted { send(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        if !request.url.isEncrypted { send(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            if request.url.address != nil || certificate?.names(request.url.host) == true {
                send(context)
            } else {
                errorCaught(context: context, error: WebhookFault("the certificate does not name the host"))
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func send(_ context: ChannelHandlerContext) {
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

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            body += part.readableBytesView.prefix(limit - body.count)
            if body.count >= limit { finish(context) }
        case .end: finish(context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        if let status { promise?.succeed(WebhookAnswer(status: status, body: body)) }
        promise = nil
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise?.fail(error)
        promise = nil
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise?.fail(WebhookFault("the receiver closed the connection before its answer was complete"))
        promise = nil
        context.fireChannelInactive()
    }
}

/// The answer of a receiver: the status, and the beginning of the body.
struct WebhookAnswer: Sendable {
    let status: Int
    let body: [UInt8]
}

/// The reason for which a request got no answer.
struct WebhookFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
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
