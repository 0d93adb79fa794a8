#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// The times of a deprecated service key.
    public struct Deprecation: Sendable, Hashable {
        /// The time of the deprecation.
        public let deprecatedAt: Date
        /// The time at which the key stops working.
        public let gracePeriodEndsAt: Date
    }
}

extension Fluxbase.Deprecation: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        deprecatedAt = try answer.time("deprecated_at")
        gracePeriodEndsAt = try answer.time("grace_period_ends_at")
    }
}
