/// What a verification found; the raw value is the `code` of the API.
public enum VerdictCode: String, Sendable, Hashable, CaseIterable {
    /// The key may do what was asked.
    case valid
    /// The text is no token.
    case malformed
    /// There is no such key, or none that the asking party may know of.
    case notFound = "not_found"
    /// The key is switched off.
    case disabled
    /// The key is withdrawn for good.
    case revoked
    /// The time of the key, or of this token, is over.
    case expired
    /// The key may not be used from there, or nobody said from where.
    case wrongAddress = "wrong_address"
    /// The key is for test traffic and live was asked, or the reverse.
    case wrongMode = "wrong_mode"
    /// The key may not be used for that namespace.
    case wrongNamespace = "wrong_namespace"
    /// The key may not do all that was asked.
    case insufficientScope = "insufficient_scope"
    /// The key has been used too often.
    case rateLimited = "rate_limited"
    /// The workspace is suspended, archived or out of reach.
    case workspaceUnavailable = "workspace_unavailable"

    /// Whether the token may be accepted.
    public var isValid: Bool { self == .valid }
}
