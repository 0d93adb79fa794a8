package import Hummingbird
package import Logging
package import NIOCore
package import Tracing

/// The context that travels with a request through the router.
package struct MortiseRequestContext: RequestContext {
    /// The storage that Hummingbird needs.
    package var coreContext: CoreRequestContextStorage

    /// The id in the answer's `X-Request-Id`, in log lines and in problems.
    ///
    /// `FrontMiddleware` sets it.
    package var requestID: String

    /// The span of the request.
    ///
    /// `nil` where no tracer records spans.
    package var span: (any Tracing.Span)?

    /// The connection.
    package let channel: any Channel

    private let channelLogger: Logger

    /// Creates the context of one request.
    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        requestID = ""
        channel = source.channel
        channelLogger = source.logger
    }

    /// The address of the connection's peer, which can be a proxy.
    ///
    /// `nil` after the connection has closed.
    package var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// A logger that carries the request id.
    ///
    /// The logger is created for each use, because most requests log nothing.
    package var logger: Logger {
        var logger = channelLogger
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }
}
