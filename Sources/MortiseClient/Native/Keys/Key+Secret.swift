#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise.Key {
    /// One secret of a key: what the server shows of a token after its creation.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "secrets")
    public struct Secret: Sendable, Hashable {
        /// The first 16 characters of the token.
        public let prefix: String
        /// The time of the creation.
        public let createdAt: Date
        /// The time at which a rotated token stops working, or `nil` for the newest token.
        public let endsAt: Date?
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
        /// The last known IP address of a client that used it.
        public let lastUsedAddress: String?
    }
}

extension Mortise.Key.Secret: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        prefix = try answer.text("prefix")
        createdAt = try answer.time("created_at")
        endsAt = try answer.timeIfAny("ends_at")
        lastUsedAt = try answer.timeIfAny("last_used_at")
        lastUsedAddress = try answer.textIfAny("last_used_address")
    }
}
