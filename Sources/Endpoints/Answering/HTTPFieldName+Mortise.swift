package import HTTPTypes

extension HTTPField.Name {
    /// The id of a request, chosen by the client or by the server.
    package static let xRequestID = known("X-Request-Id")

    /// The key under which a client may repeat a request (draft-ietf-httpapi-idempotency-key-header).
    package static let idempotencyKey = known("Idempotency-Key")

    /// What is left of a limit (draft-ietf-httpapi-ratelimit-headers).
    package static let rateLimit = known("RateLimit")

    /// What the limits are (draft-ietf-httpapi-ratelimit-headers).
    package static let rateLimitPolicy = known("RateLimit-Policy")

    /// An API key, as most services take it.
    package static let xAPIKey = known("X-API-Key")

    /// Whether a client should repeat the request, in place of what its own rules say.
    package static let xShouldRetry = known("X-Should-Retry")

    /// An API key, as Fluxbase's SDK sends what a client was made with.
    package static let apikey = known("apikey")

    /// A service key, as Fluxbase takes it.
    package static let xServiceKey = known("X-Service-Key")

    /// A client key, as Fluxbase takes it.
    package static let xClientKey = known("X-Client-Key")

    /// The id or the slug of the tenant that a request to Fluxbase is about.
    package static let xFBTenant = known("X-FB-Tenant")

    /// Makes a name from a literal, of which a test checks that it is a token (RFC 9110 section 5.1).
    private static func known(_ name: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(name)") else { preconditionFailure("not a header name: \(name)") }
        return name
    }
}
