extension Mortise {
    /// The result of a verification.
    ///
    /// Only ``isValid`` means that the token is accepted.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "verify")
    public struct Verdict: Sendable, Hashable {
        /// True if the token is accepted.
        public let isValid: Bool
        /// The reason of the verdict.
        public let code: Code
        /// The key, also of a refused token, or `nil` unless the token is genuine and belongs to the caller's
        /// organization.
        public let key: VerifiedKey?
        /// The state of the tightest rate limit, or `nil` if the key has none.
        public let rateLimit: RateLimit?
    }
}

extension Mortise.Verdict: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        isValid = try answer.bool("valid")
        code = Code(rawValue: try answer.text("code"))
        key = try answer.objectIfAny("key")
        rateLimit = try answer.objectIfAny("rate_limit")
    }
}
