#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// The key of a verified token.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/VerifyTokens", slice: "key")
    public struct VerifiedKey: Sendable, Hashable, Identifiable {
        /// The id of the key.
        public let id: String
        /// The kind of the key: `service`, `anon` or `client`.
        public let kind: String
        /// The id of the key's workspace.
        public let workspaceID: String
        /// The id of the key's organization.
        public let organizationID: String
        /// The name of the key.
        public let name: String
        /// The owner of a client key, by your own id, or `nil` for other keys.
        public let subject: String?
        /// The scopes of the key.
        public let scopes: [String]
        /// The mode of the key.
        public let mode: Key.Mode
        /// The time at which the key expires, or `nil` if it never does.
        public let expiresAt: Date?
        /// The data that your application keeps with the key.
        public let metadata: [String: JSONContent]
    }
}

extension Mortise.VerifiedKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        kind = try answer.text("kind")
        workspaceID = try answer.text("workspace_id")
        organizationID = try answer.text("organization_id")
        name = try answer.text("name")
        subject = try answer.textIfAny("subject")
        scopes = try answer.texts("scopes")
        mode = Mortise.Key.Mode(rawValue: try answer.text("mode"))
        expiresAt = try answer.timeIfAny("expires_at")
        metadata = try answer.contents("metadata")
    }
}
