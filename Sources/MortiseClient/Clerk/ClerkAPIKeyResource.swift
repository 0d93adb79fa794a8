#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Clerk {
    /// An API key of a user or an organization of the application.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "clerk-list")
    public struct APIKeyResource: Sendable, Hashable, Identifiable {
        /// The id of the key: `ak_` and 32 hexadecimal digits.
        public let id: String
        /// The type of the key, which is always `api_key` in this client.
        public let type: String
        /// The owner of the key: the id of a user (`user_…`) or an organization (`org_…`).
        public let subject: String
        /// The name of the key, unique for the subject.
        public let name: String
        /// The description of the key.
        public let description: String?
        /// The claims of the key, which the application's backend sets.
        public let claims: JSONContent?
        /// The scopes of the key, which the application's backend sets.
        public let scopes: [String]
        /// The token, which only the response to the creation contains.
        public let secret: SecretToken?
        /// True if the key is revoked.
        public let isRevoked: Bool
        /// The reason of the revocation, if one was given.
        public let revocationReason: String?
        /// True if the key has expired.
        public let isExpired: Bool
        /// The time at which the key expires, or `nil` if it never does.
        public let expiration: Date?
        /// The id of the user that created the key, or `nil` if an admin key did.
        public let createdBy: String?
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
    }
}

extension Clerk.APIKeyResource: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        type = try answer.text("type")
        subject = try answer.text("subject")
        name = try answer.text("name")
        description = try answer.textIfAny("description")
        claims = answer.content("claims")
        scopes = try answer.texts("scopes")
        secret = try answer.textIfAny("secret").map(SecretToken.init)
        isRevoked = try answer.bool("revoked")
        revocationReason = try answer.textIfAny("revocation_reason")
        isExpired = try answer.bool("expired")
        expiration = try answer.millisecondsIfAny("expiration")
        createdBy = try answer.textIfAny("created_by")
        lastUsedAt = try answer.millisecondsIfAny("last_used_at")
        createdAt = try answer.milliseconds("created_at")
        updatedAt = try answer.milliseconds("updated_at")
    }
}
