/// The result of a verification.
///
/// The raw value is the `code` of the API.
public enum VerdictCode: String, Sendable, Hashable, CaseIterable {
    /// The key may do what the request asks for.
    case valid
    /// The text is not a token.
    case malformed
    /// The key does not exist, or the caller may not know of it.
    case notFound = "not_found"
    /// The key is disabled.
    case disabled
    /// The key is revoked, which is final.
    case revoked
    /// The key or the presented secret has reached its end.
    case expired
    /// The key may not be used from the address, or it needs an address and the request has none.
    case wrongAddress = "wrong_address"
    /// The key's mode is not the mode that the request demands.
    case wrongMode = "wrong_mode"
    /// The key may not be used for the namespace.
    case wrongNamespace = "wrong_namespace"
    /// The key's scopes do not cover the request's.
    case insufficientScope = "insufficient_scope"
    /// The key has used up a rate limit.
    case rateLimited = "rate_limited"
    /// The workspace is suspended or archived, or its database cannot be reached.
    case workspaceUnavailable = "workspace_unavailable"

    /// True if the token may be accepted.
    public var isValid: Bool { self == .valid }
}
