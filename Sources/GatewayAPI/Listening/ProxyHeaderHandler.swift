import Connections
import NIOCore

/// Takes the header of the PROXY protocol from the start of a connection, and tells the connection's handler.
///
/// A connection that begins with anything else is closed without an answer, because its peer is not known. The deadline of the first
/// head covers this header too.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let service: GatewayService
    /// The bytes so far, until the header is complete.
    private var bytes = ByteBuffer()
    private var isMalformed = false

    init(_ service: GatewayService) { self.service = service }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isMalformed else { return }
        var more = unwrapInboundIn(data)
        bytes.writeBuffer(&more)
        switch ProxyHeader.read(bytes.readableBytesView) {
        case .incomplete: break
        case .malformed:
            isMalformed = true
            service.routes.authorizer.noteMissingProxyHeader()
            service.connections.count(.fault)
            context.close(promise: nil)
        case .complete(let header, let length):
            bytes.moveReaderIndex(forwardBy: length)
            context.fireUserInboundEventTriggered(header)
            let rest = bytes
            bytes = ByteBuffer()
            if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
    }
}
