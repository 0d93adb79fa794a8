#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// The last revocation of a service key.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-revoke")
    public struct RevocationHistory: Sendable, Hashable, Identifiable {
        /// The id of the key.
        public let id: String
        /// The name of the key.
        public let name: String
        /// The time of the revocation, or `nil` if the key was not revoked.
        public let revokedAt: Date?
        /// The caller that revoked the key, or an empty text if the key was not revoked.
        public let revokedBy: String
        /// The reason of the revocation, or an empty text without a reason.
        public let revocationReason: String
    }
}

extension Fluxbase.RevocationHistory: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        // The dialect has empty texts for a key that was not revoked.
        let time = try answer.textIfAny("revoked_at") ?? ""
        revokedAt = time.isEmpty ? nil : try answer.time("revoked_at")
        revokedBy = try answer.textIfAny("revoked_by") ?? ""
        revocationReason = try answer.textIfAny("revocation_reason") ?? ""
    }
}
