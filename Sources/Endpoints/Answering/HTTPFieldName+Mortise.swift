package import HTTPTypes

extension HTTPField.Name {
    /// The id of a request, from the client or from the server.
    package static let xRequestID = known("X-Request-Id")

    /// The key that lets a client repeat a request (draft-ietf-httpapi-idempotency-key-header).
    package static let idempotencyKey = known("Idempotency-Key")

    /// The rest of a rate limit (draft-ietf-httpapi-ratelimit-headers).
    package static let rateLimit = known("RateLimit")

    /// The rate limits (draft-ietf-httpapi-ratelimit-headers).
    package static let rateLimitPolicy = known("RateLimit-Policy")

    /// An API key, in the header that most services read.
    package static let xAPIKey = known("X-API-Key")

    /// A Boolean value that tells a client to repeat the request or not, in place of the client's own rules.
    package static let xShouldRetry = known("X-Should-Retry")

    /// An API key, in the header that Fluxbase's SDK sends.
    package static let apikey = known("apikey")

    /// A service key, in Fluxbase's header.
    package static let xServiceKey = known("X-Service-Key")

    /// A client key, in Fluxbase's header.
    package static let xClientKey = known("X-Client-Key")

    /// The id or slug of the tenant, in Fluxbase's header.
    package static let xFBTenant = known("X-FB-Tenant")

    /// The admin key of a gateway.
    package static let xMortiseKey = known("X-Mortise-Key")

    /// The caller's position in a trace (W3C Trace Context).
    static let traceParent = known("traceparent")

    /// The data of the tracing systems that a request has passed (W3C Trace Context).
    static let traceState = known("tracestate")

    /// The host and port that the client names.
    static let host = known("Host")

    /// Creates a name from a literal.
    ///
    /// A test checks that the literal is a token (RFC 9110 section 5.1).
    private static func known(_ name: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(name)") else { preconditionFailure("not a header name: \(name)") }
        return name
    }
}

extension HTTPFields {
    /// Returns the value of a field that stands once; `nil` if it is absent or repeated.
    package func single(_ name: HTTPField.Name) -> String? {
        var value: String?
        for field in self where field.name == name {
            if value != nil { return nil }
            value = field.value
        }
        return value
    }
}
