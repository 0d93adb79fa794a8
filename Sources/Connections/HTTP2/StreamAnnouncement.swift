package import NIOCore

/// Announces the limit of streams to the client, and lets ``HTTP2ConnectionHandler`` enforce it.
///
/// swift-nio ends a connection whose client has more streams than the server announced, and until the client has acknowledged the
/// settings, more than 100. A client that has not seen the settings may open any number, and each stream above the limit is refused alone
/// (RFC 9113 section 5.1.2): gateways send what has waited as soon as they are connected. So swift-nio is told that the limit is
/// ``unlimited``, and that the client has acknowledged this with its own first settings. The client gets the real limit instead, and its
/// acknowledgement ends here.
///
/// The handler stands before swift-nio's HTTP/2 handler, and leaves the pipeline with the acknowledgement.
package final class StreamAnnouncement: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = IOData
    package typealias OutboundOut = IOData

    /// The limit that swift-nio enforces: the greatest number of streams that a connection can have.
    static let unlimited = Int(Int32.max)

    /// The lengths of the client's preface and of the head of a frame (RFC 9113 sections 3.4 and 4.1).
    private static let (preface, head) = (24, 9)
    /// SETTINGS, its flag ACK, and SETTINGS_MAX_CONCURRENT_STREAMS (sections 6.5 and 6.5.2).
    private static let (settings, acknowledged, maximumStreams) = (UInt8(4), UInt8(1), UInt16(3))
    private static let acknowledgement = ByteBuffer(bytes: [0, 0, 0, settings, acknowledged, 0, 0, 0, 0])

    /// A part of the client's bytes.
    private enum Part {
        case preface
        /// The client's own settings, which no acknowledgement precedes.
        case settings
        case frame
    }

    private let streams: UInt32
    private var isAnnounced = false
    /// The part that arrives, or the one that follows if no bytes remain.
    private var part = Part.preface
    /// The bytes of the part that have not arrived.
    private var remaining = preface
    /// The beginning of a frame's head, until all of it has arrived.
    private var rest = ByteBuffer()

    /// Creates a handler.
    ///
    /// - Parameter streams: The number of open streams that the client is told.
    package init(streams: Int) { self.streams = UInt32(streams) }

    // MARK: Output

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isAnnounced, case .byteBuffer(var bytes) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        isAnnounced = true
        announce(in: &bytes)
        context.write(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
    }

    /// Puts the limit into the settings, with which the server's bytes begin.
    private func announce(in bytes: inout ByteBuffer) {
        let start = bytes.readerIndex
        guard let length = Self.length(in: bytes, at: start) else { return }
        for entry in stride(from: start + Self.head, to: start + Self.head + length, by: 6)
        where bytes.getInteger(at: entry) == Self.maximumStreams {
            bytes.setInteger(streams, at: entry + 2)
        }
    }

    // MARK: Input

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if rest.readableBytes > 0 {
            rest.writeBuffer(&bytes)
            bytes = rest
            rest = ByteBuffer()
        }
        while true {
            if let slice = bytes.readSlice(length: min(remaining, bytes.readableBytes)), slice.readableBytes > 0 {
                remaining -= slice.readableBytes
                context.fireChannelRead(wrapInboundOut(slice))
                guard remaining == 0 else { return }
                ended(context)
            }
            guard bytes.readableBytes >= Self.head, let length = Self.length(in: bytes, at: bytes.readerIndex) else {
                rest = bytes
                return
            }
            // One with a payload is a fault, which swift-nio finds.
            if part == .frame, length == 0, isAcknowledgement(bytes) {
                bytes.moveReaderIndex(forwardBy: Self.head)
                return leave(context, bytes)
            }
            remaining = Self.head + length
        }
    }

    /// Notes the end of a part.
    private func ended(_ context: ChannelHandlerContext) {
        if part == .settings { context.fireChannelRead(wrapInboundOut(Self.acknowledgement)) }
        part = part == .preface ? .settings : .frame
    }

    /// Returns true if the next frame acknowledges settings.
    private func isAcknowledgement(_ bytes: ByteBuffer) -> Bool {
        let start = bytes.readerIndex
        guard let flags: UInt8 = bytes.getInteger(at: start + 4) else { return false }
        return bytes.getInteger(at: start + 3) == Self.settings && flags & Self.acknowledged != 0
    }

    /// Returns the length of a frame's payload.
    private static func length(in bytes: ByteBuffer, at index: Int) -> Int? {
        guard let high: UInt8 = bytes.getInteger(at: index), let low: UInt16 = bytes.getInteger(at: index + 1) else {
            return nil
        }
        return Int(high) << 16 | Int(low)
    }

    private func leave(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
