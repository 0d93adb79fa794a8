package import NIOHTTP2

/// The limits of one HTTP/2 connection, beside ``ConnectionLimits``.
///
/// A client that exceeds one loses the stream or the connection. ``HTTP2ConnectionHandler`` enforces the number of streams, and swift-nio
/// the other limits. Its defaults bound CONTINUATION frames and empty DATA frames.
package struct HTTP2Limits: Sendable {
    /// The limits of the connection.
    package let connection: NIOHTTP2Handler.ConnectionConfiguration
    /// The limits of its streams.
    package let stream: NIOHTTP2Handler.StreamConfiguration
    /// The window of the whole connection, in bytes, which opens again as they arrive.
    package let window: Int
    /// The number of open streams that the client is told.
    let announcedStreams: Int
    /// The number of open streams above which a new one is refused.
    ///
    /// It is greater than the announced number: a client opens any number of streams until it has seen the settings.
    let maximumStreams: Int
    /// The number of refused streams, without an idle moment of the connection between them, above which the connection ends.
    let maximumRefusals: Int
    /// True if the head of an answer can be longer than a frame.
    let hasLongHeads: Bool

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - streams: The number of open streams that the client is told. Four times as many are served.
    ///   - headers: The largest header section in bytes, as HPACK counts it.
    ///   - window: The window of the whole connection, in bytes, which opens again as they arrive.
    ///   - streamWindow: The bytes that the client can send before the server has taken them, for a stream.
    ///   - resets: The maximum number of streams that the client may reset, or that have a fault, in 30 seconds, and of refused streams.
    ///   - controls: The maximum number of PING, SETTINGS and PRIORITY frames in 30 seconds.
    ///   - hasLongHeads: False if all answers have short heads, which then need not be measured.
    package init(
        streams: Int,
        headers: Int,
        window: Int,
        streamWindow: Int,
        resets: Int,
        controls: Int,
        hasLongHeads: Bool = true
    ) {
        self.window = window
        self.hasLongHeads = hasLongHeads
        announcedStreams = streams
        maximumStreams = 4 * streams
        maximumRefusals = resets
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: StreamAnnouncement.unlimited),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headers),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
        connection.maximumConnectionGlitches = resets
        // The bodies of refused streams are on their way.
        connection.maximumRecentlyResetStreams = streams
        connection.controlFrameRateLimit.maximumCount = controls
        // A client that does not read must not let the answers to its PINGs pile up.
        connection.maximumBufferedControlFrames = 256
        self.connection = connection
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = resets
        stream.streamErrorRateLimit.maximumCount = resets
        self.stream = stream
    }
}
