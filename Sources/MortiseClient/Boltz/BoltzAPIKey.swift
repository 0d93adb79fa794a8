#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Boltz {
    /// A key of a workspace, or an admin key of the organization.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "boltz-list")
    public struct APIKey: Sendable, Hashable, Identifiable {
        /// The type of a key.
        ///
        /// A newer server can add types, so handle `default`.
        public struct KeyType: RawRepresentable, Sendable, Hashable {
            /// The type in the API, such as `workspace`.
            public let rawValue: String

            /// Creates a type from its name in the API.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// The type of keys that manage the organization.
            public static let admin = KeyType(rawValue: "admin")
            /// The type of keys that work in one workspace.
            public static let workspace = KeyType(rawValue: "workspace")
        }

        /// The id of the key.
        public let id: String
        /// The IP addresses and CIDR ranges from which the key works: all if empty.
        public let allowedIPs: [String]
        /// The time of the creation.
        public let createdAt: Date
        /// The time at which the key expires, or `nil` if it never does.
        public let expiresAt: Date?
        /// True if the key can be used now.
        public let isActive: Bool
        /// The first 12 characters of the token.
        public let keyPrefix: String
        /// The type of the key.
        public let keyType: KeyType
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
        /// True for a key for production, and false for a key for tests.
        public let isLive: Bool
        /// The name of the key.
        public let name: String
        /// The id of the key's workspace, or `nil` for admin keys.
        public let workspaceID: String?
    }
}

extension Boltz.APIKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        allowedIPs = try answer.texts("allowed_ips")
        createdAt = try answer.time("created_at")
        expiresAt = try answer.timeIfAny("expires_at")
        isActive = try answer.bool("is_active")
        keyPrefix = try answer.text("key_prefix")
        keyType = KeyType(rawValue: try answer.text("key_type"))
        lastUsedAt = try answer.timeIfAny("last_used_at")
        isLive = try answer.bool("livemode")
        name = try answer.text("name")
        workspaceID = try answer.textIfAny("workspace_id")
    }
}
