#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The state of a rate limit after a verification.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "rate-limit")
    public struct RateLimit: Sendable, Hashable {
        /// The maximum number of uses.
        public let limit: Int
        /// The number of uses that are left now.
        public let remaining: Int
        /// The time at which all uses are available again.
        public let resetAt: Date
    }
}

extension Mortise.RateLimit: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        limit = try answer.integer("limit")
        remaining = try answer.integer("remaining")
        resetAt = try answer.time("reset_at")
    }
}
