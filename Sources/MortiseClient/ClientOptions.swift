/// The deadline, the retries and the user agent of a client.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ConnectToMortise", slice: "options")
public struct ClientOptions: Sendable {
    /// The maximum duration of one call, from connecting to the last byte of the response, retries included.
    ///
    /// Defaults to 30 seconds. Values are limited to 1 millisecond to 24 hours.
    public var timeout = Duration.seconds(30) {
        didSet { timeout = min(max(timeout, .milliseconds(1)), .seconds(86_400)) }
    }

    /// The maximum number of times that a call is sent again.
    ///
    /// Defaults to 2. Values are limited to 0 to 10.
    ///
    /// Reads, and creations and rotations under an idempotency key, are sent again after a broken connection, a rate
    /// limit (429), a timeout or an outage (408, 502, 503, 504), and after a conflict (409) with `Retry-After`. Any
    /// other call is sent again only if no connection was established. The client waits as long as `Retry-After` says,
    /// and otherwise 0.25 to 8 seconds, growing. It gives up if the wait does not fit into ``timeout``.
    public var maximumRetries = 2 {
        didSet { maximumRetries = min(max(maximumRetries, 0), 10) }
    }

    /// The value of the `User-Agent` header, in printable ASCII.
    ///
    /// Defaults to `mortise-client`.
    public var userAgent = "mortise-client"

    /// Creates options with the default values.
    public init() {}
}
