/// How a client goes about its calls.
///
/// ```swift
/// var options = ClientOptions()
/// options.timeout = .seconds(5)
/// options.maximumRetries = 0
/// options.userAgent = "shop/2.1"
/// let client = Mortise(url: try ServerURL("https://keys.example.com"), credential: nil, options: options)
/// print(client.url.text)
/// ```
public struct ClientOptions: Sendable {
    /// How long one call may take with all its retries, from connecting to the last byte of the answer.
    ///
    /// 30 seconds by default; at least one millisecond and at most a day.
    public var timeout = Duration.seconds(30) {
        didSet { timeout = min(max(timeout, .milliseconds(1)), .seconds(86_400)) }
    }

    /// How often a call is sent again after a broken connection, a limit or an overload; 2 by default, 0 to 10.
    ///
    /// Only reads, and creations under an idempotency key, are sent again, unless nothing was sent the first time. The
    /// server's `Retry-After` is followed where the timeout has room for it.
    public var maximumRetries = 2 {
        didSet { maximumRetries = min(max(maximumRetries, 0), 10) }
    }

    /// What the client calls itself in `User-Agent`; `mortise-client` by default.
    public var userAgent = "mortise-client"

    /// Makes the defaults.
    ///
    /// ```swift
    /// let options = ClientOptions()
    /// print(options.timeout)
    /// ```
    public init() {}
}
