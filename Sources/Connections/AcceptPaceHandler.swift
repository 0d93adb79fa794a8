package import NIOCore

/// Accepts fewer connections while those that have to make room for them are in use, or were a moment ago.
///
/// A client that has all places, and opens a connection for each one that it loses, would keep the threads of all connections busy with
/// nothing else. While that goes on, new connections wait in the listener's queue, and so do those of others: 50 ms behind 128, and 100 ms
/// behind the 256 of a full queue. The system drops what comes to a full queue, and its client tries again after a second, at any pace.
package final class AcceptPaceHandler: ChannelDuplexHandler {
    package typealias InboundIn = any Channel
    package typealias OutboundIn = Never

    /// The number of connections that the listener accepts in a second meanwhile.
    ///
    /// `docs/performance.md` has what other numbers did to the requests of others.
    package static let perSecond: Int64 = 2500

    private let isContested: () -> Bool
    private var accepted: Int64 = 0
    private var pause: Scheduled<Void>?

    /// Creates a handler.
    ///
    /// - Parameter isContested: Returns true if connections that are in use have to make room.
    package init(while isContested: @escaping () -> Bool) {
        self.isContested = isContested
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        accepted += 1
        context.fireChannelRead(data)
    }

    package func read(context: ChannelHandlerContext) {
        guard pause == nil else { return }
        let length = TimeAmount.nanoseconds(accepted * 1_000_000_000 / Self.perSecond)
        accepted = 0
        guard length > .zero, isContested() else { return context.read() }
        pause = context.eventLoop.assumeIsolated()
            .scheduleTask(in: length) { [self] in
                pause = nil
                context.read()
            }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        pause?.cancel()
        pause = nil
    }
}
