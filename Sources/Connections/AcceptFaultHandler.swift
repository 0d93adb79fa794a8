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
/// The handler stands behind NIO's `AcceptBackoffHandler` in the pipeline of a listener. The connections stay in the listener's queue, so
/// its socket stays readable: without a pause, the thread would do nothing but ask the system again.
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

    private init(_ logger: Logger) {
        self.logger = logger
    }

    /// Adds the handlers to the pipeline of a listener.
    static func add(to pipeline: ChannelPipeline.SynchronousOperations, _ logger: Logger) throws {
        try pipeline.addHandler(AcceptBackoffHandler { isShortage($0) ? pause : nil })
        try pipeline.addHandler(AcceptFaultHandler(logger))
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

    /// Logs the beginning of the fault, and passes the error on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, Self.isShortage(error) {
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
}
