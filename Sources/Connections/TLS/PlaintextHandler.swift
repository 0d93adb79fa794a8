package import NIOCore

/// Answers a client that speaks plain HTTP to a port with TLS, and lets all other bytes pass.
///
/// The handler stands before that of TLS.
package final class PlaintextHandler: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// The first byte of a handshake (RFC 8446 section 5.1).
    private static let handshake: UInt8 = 22

    private let answer: ByteBuffer
    private var isPlain = false

    /// Creates a handler with the whole answer to a request.
    package init(_ answer: ByteBuffer) { self.answer = answer }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isPlain else { return }
        let bytes = unwrapInboundIn(data)
        if bytes.getInteger(at: bytes.readerIndex) == Self.handshake {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        isPlain = true
        // The deadline of the handshake ends the connection, so that the client can read the answer.
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        context.close(mode: .output, promise: nil)
    }
}
