#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A row of a usage report: the number of verifications in one step of time.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "usage")
    public struct UsageRow: Sendable, Hashable {
        /// The beginning of the step.
        public let start: Date
        /// The code of the verdict, such as `valid`, or `nil` if the report is not grouped by it.
        public let code: String?
        /// The id of the key, or `nil` if the report is not grouped by it.
        public let keyID: String?
        /// The number of verifications.
        public let count: Int
    }
}

extension Mortise.UsageRow: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        start = try answer.time("start")
        code = try answer.textIfAny("code")
        keyID = try answer.textIfAny("key_id")
        count = try answer.integer("count")
    }
}
