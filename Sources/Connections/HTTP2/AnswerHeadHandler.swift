import NIOCore
import NIOHPACK
import NIOHTTP2

/// Resets the stream of an answer whose head is longer than a frame.
///
/// swift-nio writes a head as one frame, and no CONTINUATION. It writes nothing of a longer one, but its encoder has noted the fields for
/// the heads that follow, and the client has not. The client would then read fields of other answers in them.
final class AnswerHeadHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// The error of an answer whose head is too long.
    private struct HeadFault: Error {}

    /// The largest frame that every client takes (RFC 9113 section 6.5.2), in bytes.
    private static let maximumFrame = 16_384

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        guard case .headers(let headers) = frame.payload, !Self.fits(headers.headers) else {
            return context.write(data, promise: promise)
        }
        let reset = HTTP2Frame(streamID: frame.streamID, payload: .rstStream(.internalError))
        context.write(wrapOutboundOut(reset), promise: nil)
        promise?.fail(HeadFault())
    }

    /// Returns true if a frame has room for the fields.
    private static func fits(_ headers: HPACKHeaders) -> Bool {
        var size = 0
        for (name, value, _) in headers { size += name.utf8.count + value.utf8.count + 8 }
        // The longest code of RFC 7541 appendix B has 30 bits.
        if size * 4 <= maximumFrame { return true }
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
        var block = ByteBuffer()
        guard (try? encoder.encode(headers: headers, to: &block)) != nil else { return false }
        // The connection's own encoder can name an entry of its table where this one has a short name, and can change its table's size.
        return block.readableBytes + 2 * headers.count + 16 <= maximumFrame
    }
}
