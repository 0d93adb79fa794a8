import Logging
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Logs that the system has nothing left for further connections: once, and once when connections are accepted again.
///
/// The connections stay in the listener's queue, so its socket stays readable: without a pause, the thread would do nothing but ask the
/// system again. NIO's `AcceptBackoffHandler` keeps further reads back, but the read that failed is still pending, and NIO goes on to wait for
/// it. Only `autoRead` ends that.
final class AcceptFaultHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// The pause after an attempt for which the system had nothing left.
    private static let pause = TimeAmount.milliseconds(100)

    /// The time without a failure after which an accepted connection ends the fault.
    private static let quiet = TimeAmount.seconds(5)

    private enum State {
        case accepting
        case failing(since: NIODeadline)
    }

    private let logger: Logger
    private var state = State.accepting

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Returns true if the system lacked a descriptor or memory, and false for a client that left before it was accepted.
    private static func isShortage(_ error: IOError) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode)
    }

    /// Notes the end of the fault, and passes the connection on.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .failing(let since) = state, NIODeadline.now() - since >= Self.quiet {
            state = .accepting
            logger.notice("connections are accepted again")
        }
        context.fireChannelRead(data)
    }

    /// Logs the beginning of the fault, pauses, and passes the error on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, Self.isShortage(error) {
            pause(context.channel)
            if case .accepting = state {
                logger.error(
                    "no connection is accepted, because the system has no descriptor or no memory left for it",
                    metadata: [
                        "error": "\(error)",
                        "next": "raise the hard limit with ulimit -n, or LimitNOFILE= of systemd",
                    ]
                )
            }
            state = .failing(since: .now())
        }
        context.fireErrorCaught(error)
    }

    private func pause(_ listener: any Channel) {
        // Only a listener that is closed meanwhile refuses the option.
        try? listener.syncOptions?.setOption(.autoRead, value: false)
        listener.eventLoop.scheduleTask(in: Self.pause) {
            try? listener.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}
