package import Hummingbird
package import Logging
package import NIOCore

/// What travels with a request through the router.
package struct MortiseRequestContext: RequestContext {
    /// What Hummingbird itself needs.
    package var coreContext: CoreRequestContextStorage

    /// The id in the answer's `X-Request-Id`, in log lines and in problems.
    ///
    /// `FrontMiddleware` sets it.
    package var requestID: String

    /// The connection.
    package let channel: any Channel

    private let channelLogger: Logger

    /// Makes the context of one request.
    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        requestID = ""
        channel = source.channel
        channelLogger = source.logger
    }

    /// The peer of the connection, which may be a proxy; `nil` once it is gone.
    package var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// A logger that carries the request id.
    ///
    /// It is made when it is asked for, since most requests log nothing.
    package var logger: Logger {
        var logger = channelLogger
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }
}
