#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// A service key: a key of a workspace, for services or for public clients.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-service-keys")
    public struct ServiceKey: Sendable, Hashable, Identifiable {
        /// The type of a service key.
        ///
        /// A newer server can add types, so handle `default`.
        public struct KeyType: RawRepresentable, Sendable, Hashable {
            /// The type in the API, such as `service`.
            public let rawValue: String

            /// Creates a type from its name in the API.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// The type for services, which keep their token secret.
            public static let service = KeyType(rawValue: "service")
            /// The type for public clients, such as a website.
            public static let anon = KeyType(rawValue: "anon")
        }

        /// The id of the key.
        public let id: String
        /// The name of the key, unique among the keys of the workspace that are not revoked.
        public let name: String
        /// The description of the key.
        public let description: String?
        /// The first 16 characters of the token.
        public let keyPrefix: String
        /// The type of the key.
        public let keyType: KeyType
        /// The scopes of the key.
        public let scopes: [String]
        /// The namespaces in which the key works, or `nil` for all.
        public let allowedNamespaces: [String]?
        /// True if the key is neither disabled nor revoked.
        public let isEnabled: Bool
        /// The maximum number of uses per minute, or `nil` for no limit.
        public let rateLimitPerMinute: Int?
        /// The maximum number of uses per hour, or `nil` for no limit.
        public let rateLimitPerHour: Int?
        /// The creator of the key: the id of a user, or a key such as `admin-key:<id>`.
        public let createdBy: String?
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
        /// The time at which the key expires, or `nil` if it never does.
        public let expiresAt: Date?
        /// The time at which the key was revoked, if it was.
        public let revokedAt: Date?
        /// The time at which the key was deprecated.
        ///
        /// In the response to a rotation, the time of the old key.
        public let deprecatedAt: Date?
        /// The time at which a deprecated key stops working.
        ///
        /// In the response to a rotation, the time of the old key.
        public let gracePeriodEndsAt: Date?
        /// The id of the key that replaces this key, after a rotation.
        public let replacedBy: String?
    }
}

extension Fluxbase.ServiceKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        description = try answer.textIfAny("description")
        keyPrefix = try answer.text("key_prefix")
        keyType = KeyType(rawValue: try answer.text("key_type"))
        scopes = try answer.texts("scopes")
        allowedNamespaces = try answer.textsIfAny("allowed_namespaces")
        isEnabled = try answer.bool("enabled")
        rateLimitPerMinute = try answer.integerIfAny("rate_limit_per_minute")
        rateLimitPerHour = try answer.integerIfAny("rate_limit_per_hour")
        createdBy = try answer.textIfAny("created_by")
        createdAt = try answer.time("created_at")
        lastUsedAt = try answer.timeIfAny("last_used_at")
        expiresAt = try answer.timeIfAny("expires_at")
        revokedAt = try answer.timeIfAny("revoked_at")
        deprecatedAt = try answer.timeIfAny("deprecated_at")
        gracePeriodEndsAt = try answer.timeIfAny("grace_period_ends_at")
        replacedBy = try answer.textIfAny("replaced_by")
    }
}
