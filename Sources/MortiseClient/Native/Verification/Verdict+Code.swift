extension Mortise.Verdict {
    /// The reason of a verdict.
    ///
    /// A newer server can add codes, and none of them accepts a token.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "status")
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code in the API, such as `not_found`.
        public let rawValue: String

        /// Creates a code from its name in the API.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The token is accepted.
        public static let valid = Code(rawValue: "valid")
        /// The text is not a token.
        public static let malformed = Code(rawValue: "malformed")
        /// The token does not exist, or belongs to another organization.
        public static let notFound = Code(rawValue: "not_found")
        /// The key is disabled.
        public static let disabled = Code(rawValue: "disabled")
        /// The key is revoked.
        public static let revoked = Code(rawValue: "revoked")
        /// The key has expired, or the token was rotated and its grace period has ended.
        public static let expired = Code(rawValue: "expired")
        /// The key does not work from the address, or is restricted to addresses and none was passed.
        public static let wrongAddress = Code(rawValue: "wrong_address")
        /// The key has another mode.
        public static let wrongMode = Code(rawValue: "wrong_mode")
        /// The key does not work in the namespace.
        public static let wrongNamespace = Code(rawValue: "wrong_namespace")
        /// The key lacks a scope.
        public static let insufficientScope = Code(rawValue: "insufficient_scope")
        /// The key has reached a rate limit.
        public static let rateLimited = Code(rawValue: "rate_limited")
        /// The workspace of the key is suspended or archived or, in a batch, its database is unavailable.
        public static let workspaceUnavailable = Code(rawValue: "workspace_unavailable")
    }
}
