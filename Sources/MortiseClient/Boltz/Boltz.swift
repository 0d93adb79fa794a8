public import FoundationEssentials

/// What the manager of Boltz's client works with; it calls the server at `/compute/v1`.
///
/// ```swift
/// let created: Boltz.CreatedAPIKey = try await client.admin.apiKeys.create(name: "x")
/// print(created.keyDetails.id)
/// ```
public enum Boltz {
    /// A key of a workspace, or an admin key of the organization.
    ///
    /// ```swift
    /// for try await key in client.admin.apiKeys.list() where key.isActive && key.isLive {
    ///     let place = key.keyType == .admin ? "the organization" : key.workspaceID ?? "a workspace"
    ///     let origin = key.allowedIPs.isEmpty ? "everywhere" : key.allowedIPs.joined(separator: ", ")
    ///     print(key.id, key.name, key.keyPrefix, "works in", place, "from", origin)
    ///     let lastUse = key.lastUsedAt ?? key.createdAt
    ///     let isForgotten = key.expiresAt == nil && lastUse.timeIntervalSinceNow < -90 * 86_400
    ///     if isForgotten { print("Nobody used it for 90 days, and it never expires.") }
    /// }
    /// ```
    public struct APIKey: Sendable, Hashable, Identifiable {
        /// Which keys there are.
        ///
        /// ```swift
        /// for try await key in client.admin.apiKeys.list() {
        ///     switch key.keyType {
        ///     case .admin: print(key.name, "manages the organization")
        ///     case .workspace: print(key.name, "works in", key.workspaceID ?? "a workspace")
        ///     default: print(key.name, "is of a newer type:", key.keyType.rawValue)
        ///     }
        /// }
        /// ```
        public struct KeyType: RawRepresentable, Sendable, Hashable {
            /// The type on the wire.
            public let rawValue: String

            /// Takes a type as it is on the wire.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// It manages the organization.
            public static let admin = KeyType(rawValue: "admin")
            /// It works in one workspace.
            public static let workspace = KeyType(rawValue: "workspace")
        }

        /// Its id.
        public let id: String
        /// The addresses and ranges from which it works; all when empty.
        public let allowedIPs: [String]
        /// When it was made.
        public let createdAt: Date
        /// When it expires; never when `nil`.
        public let expiresAt: Date?
        /// Whether it can be used now.
        public let isActive: Bool
        /// The first 12 characters of its token.
        public let keyPrefix: String
        /// Which kind of key it is.
        public let keyType: KeyType
        /// When it was last used.
        public let lastUsedAt: Date?
        /// Whether it is for production; a key for tests is not.
        public let isLive: Bool
        /// Its name.
        public let name: String
        /// The workspace that it works in; `nil` for admin keys.
        public let workspaceID: String?
    }

    /// A new key and its token.
    ///
    /// ```swift
    /// let created = try await client.admin.apiKeys.create(name: "x", expiresInDays: 30)
    /// try created.key.reveal().write(toFile: "x.key", atomically: true, encoding: .utf8)
    /// print(created.keyDetails.id, created.keyDetails.expiresAt ?? .distantFuture)
    /// ```
    public struct CreatedAPIKey: Sendable, Hashable {
        /// The token, shown this once.
        public let key: SecretToken
        /// The key.
        public let keyDetails: APIKey
    }

    /// Whether a key is for production or for tests.
    ///
    /// ```swift
    /// for mode in [Boltz.Mode.live, .test] {
    ///     let created = try await client.admin.apiKeys.create(name: "deploy \(mode.rawValue)", mode: mode)
    ///     try created.key.reveal().write(toFile: "\(mode.rawValue).key", atomically: true, encoding: .utf8)
    /// }
    /// ```
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// For production.
        case live
        /// For tests.
        case test
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

extension Boltz.CreatedAPIKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        key = try answer.token("key")
        keyDetails = try answer.object("key_details")
    }
}
