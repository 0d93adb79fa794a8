#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Mortise {
    /// A key: its settings, status and history, without a token.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "restrictions")
    public struct Key: Sendable, Hashable, Identifiable {
        /// The id of the key.
        public let id: String
        /// The id of the key's workspace, or `nil` for admin and operator keys.
        public let workspaceID: String?
        /// The name of the key.
        public let name: String
        /// The description of the key.
        public let description: String?
        /// The kind of the key: `service`, `anon`, `client`, `admin` or `operator`.
        public let type: String?
        /// The owner of a client key, by your own id, or `nil` for other keys.
        public let subject: String?
        /// The mode of the key.
        public let mode: Mode
        /// The first 16 characters of the newest token.
        public let prefix: String
        /// The status of the key when the server answered.
        public let status: Status
        /// The scopes of the key, which your application defines.
        public let scopes: [String]
        /// The permissions of an admin or operator key in this API, such as `keys:read`.
        public let permissions: [String]
        /// The namespaces in which the key works: all if `nil`, only `default` if empty.
        public let allowedNamespaces: [String]?
        /// The IP addresses and CIDR ranges from which the key works: all if empty.
        public let allowedAddresses: [String]
        /// The maximum number of uses per minute, or `nil` for no limit.
        public let rateLimitPerMinute: Int?
        /// The maximum number of uses per hour, or `nil` for no limit.
        public let rateLimitPerHour: Int?
        /// The time at which the key expires, or `nil` if it never does.
        public let expiresAt: Date?
        /// The data that your application keeps with the key.
        public let metadata: [String: JSONContent]
        /// The creator of the key, such as `admin-key:<id>` or `member:<user id>`.
        public let createdBy: String
        /// The time of the creation.
        public let createdAt: Date
        /// The time of the last change.
        public let updatedAt: Date
        /// The time of the last use, as of about two seconds ago, or `nil` before the first use.
        public let lastUsedAt: Date?
        /// The last known IP address of a client that used it.
        public let lastUsedAddress: String?
        /// The time at which the key was deprecated, if it was.
        public let deprecatedAt: Date?
        /// The reason of the deprecation, if one was given.
        public let deprecationReason: String?
        /// The time at which a deprecated key stops working.
        public let gracePeriodEndsAt: Date?
        /// The time at which the key was revoked, if it was.
        public let revokedAt: Date?
        /// The caller that revoked the key.
        public let revokedBy: String?
        /// The reason of the revocation, if one was given.
        public let revocationReason: String?
        /// The id of the key that replaces this key, after a rotation in Fluxbase's dialect.
        public let replacedBy: String?
        /// The live secrets of the key, newest first: one, or two during a rotation.
        public let secrets: [Secret]
    }
}
