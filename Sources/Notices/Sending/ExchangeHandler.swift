import NIOCore
import NIOHTTP1

/// Sends one request over a connection and reads the beginning of its answer.
///
/// The rest of a long answer is not read: the connection is closed.
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
        if context.channel.isActive { send(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context)
        context.fireChannelActive()
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
