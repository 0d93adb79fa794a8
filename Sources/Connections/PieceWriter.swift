package import NIOCore

/// Writes the long pieces of answers one after the other, and gives the other connections of the event loop a turn after each of them.
///
/// The system takes an answer of 16 MB to a client on the same machine at once. The event loop then serves no other connection for
/// milliseconds, and for longer if it has to encrypt the answer.
///
/// The handler stands between the socket, or TLS, and the handler of requests, which closes its output after the last piece has left.
package final class PieceWriter: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private struct Piece {
        let bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private enum State {
        /// Short pieces are passed on.
        case idle
        /// A long piece is on its way.
        case writing
        /// The other connections have their turn.
        case pausing(Scheduled<Void>)
        /// The connection has closed.
        case removed
    }

    /// The largest size in bytes of a piece that is short.
    package static let shortBytes = 65_536

    /// The time for other connections after a long piece.
    ///
    /// An event loop runs all tasks that are due before it looks at its sockets, so the next piece is due a moment later. With pieces of 256 KiB,
    /// this allows more than a gigabyte a second.
    package static let turn = TimeAmount.microseconds(200)

    private var state = State.idle
    private var pieces = CircularBuffer<Piece>()

    /// Creates the handler of a connection.
    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        if case .idle = state, pieces.isEmpty, bytes.readableBytes <= Self.shortBytes {
            return context.write(data, promise: promise)
        }
        pieces.append(Piece(bytes: bytes, promise: promise))
    }

    package func flush(context: ChannelHandlerContext) {
        if case .idle = state { advance(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        if case .pausing(let turn) = state { turn.cancel() }
        state = .removed
        while let piece = pieces.popFirst() { piece.promise?.fail(ChannelError.ioOnClosedChannel) }
    }

    /// Writes the pieces up to the next long one.
    private func advance(_ context: ChannelHandlerContext) {
        while let piece = pieces.popFirst() {
            guard piece.bytes.readableBytes > Self.shortBytes else {
                context.write(wrapOutboundOut(piece.bytes), promise: piece.promise)
                continue
            }
            state = .writing
            let written = piece.promise ?? context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenSuccess { [self] in pause(context) }
            return context.writeAndFlush(wrapOutboundOut(piece.bytes), promise: written)
        }
        context.flush()
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard case .writing = state else { return }
        state = .pausing(
            context.eventLoop.assumeIsolated()
                .scheduleTask(in: Self.turn) { [self] in
                    guard case .pausing = state else { return }
                    state = .idle
                    advance(context)
                }
        )
    }
}
