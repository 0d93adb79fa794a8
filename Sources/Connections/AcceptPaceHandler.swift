package import NIOCore

/// Lets a listener pause whose connections have all places, so that new ones do not use up the processors of the others.
///
/// Each new connection takes the place of another one then. A client that opens one for each that is closed would make thousands a second. The
/// system keeps those that wait.
package final class AcceptPaceHandler: ChannelOutboundHandler {
    package typealias OutboundIn = Never

    /// The pause after an attempt, in which swift-nio accepts up to four connections: about a thousand a second.
    package static let pause = TimeAmount.milliseconds(4)

    private let connections: OpenConnections
    private var attempt: Scheduled<Void>?

    /// Creates the handler of a listener.
    ///
    /// - Parameter connections: The open connections of the listener.
    package init(_ connections: OpenConnections) {
        self.connections = connections
    }

    package func read(context: ChannelHandlerContext) {
        guard attempt == nil else { return }
        guard connections.isFull else { return context.read() }
        attempt = context.eventLoop.assumeIsolated()
            .scheduleTask(in: Self.pause) { [self] in
                attempt = nil
                context.read()
            }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        attempt?.cancel()
        attempt = nil
    }
}
