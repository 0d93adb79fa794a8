/// A request to a server that the operator named: a GET, or a POST of a form.
public struct OutboundRequest: Sendable {
    /// The URL.
    public let url: String
    /// The fields of the form; `nil` for a GET.
    public let form: [(name: String, value: String)]?
    /// The value of `Authorization`.
    public let authorization: String?

    /// False if the URL has a port that does not exist, for which HTTP clients end the program.
    public var hasPort: Bool { TrustedURL.hasPort(in: url) }

    /// Creates a request.
    ///
    /// - Parameters:
    ///   - url: The URL.
    ///   - form: The fields of the form. Defaults to `nil`, a GET.
    ///   - authorization: The value of `Authorization`. Defaults to none.
    public init(_ url: String, form: [(name: String, value: String)]? = nil, authorization: String? = nil) {
        self.url = url
        self.form = form
        self.authorization = authorization
    }
}

/// The answer to an outbound request.
public struct OutboundAnswer: Sendable {
    /// The status.
    public let status: UInt
    /// The body, of at most 256 KiB.
    public let body: [UInt8]

    /// Creates an answer.
    public init(status: UInt, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Sends an outbound request, within about 5 s and without following a redirect.
public typealias OutboundExchange = @Sendable (_ request: OutboundRequest) async throws -> OutboundAnswer
