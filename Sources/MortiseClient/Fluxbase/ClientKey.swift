#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// A client key: a key of a user.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-client-keys")
    public struct ClientKey: Sendable, Hashable, Identifiable {
        /// The id of the key.
        public let id: String
        /// The name of the key.
        public let name: String
        /// The description of the key.
        public let description: String?
        /// The first 12 characters of the token.
        public let keyPrefix: String
        /// The id of the user that owns the key, or `admin-key:<id>` for a key that an admin key created.
        public let userID: String
        /// The scopes of the key.
        public let scopes: [String]
        /// The namespaces in which the key works, or `nil` for all.
        public let allowedNamespaces: [String]?
        /// The maximum number of uses per minute, or 2147483647 if the key has no limit.
        public let rateLimitPerMinute: Int
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date?
        /// The time at which the key expires, or `nil` if it never does.
        public let expiresAt: Date?
        /// The time at which the key was revoked, if it was.
        public let revokedAt: Date?
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
    }
}

extension Fluxbase.ClientKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        description = try answer.textIfAny("description")
        keyPrefix = try answer.text("key_prefix")
        userID = try answer.text("user_id")
        scopes = try answer.texts("scopes")
        allowedNamespaces = try answer.textsIfAny("allowed_namespaces")
        rateLimitPerMinute = try answer.integer("rate_limit_per_minute")
        createdAt = try answer.time("created_at")
        updatedAt = try answer.timeIfAny("updated_at")
        expiresAt = try answer.timeIfAny("expires_at")
        revokedAt = try answer.timeIfAny("revoked_at")
        lastUsedAt = try answer.timeIfAny("last_used_at")
    }
}
