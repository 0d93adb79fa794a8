public import FoundationEssentials

extension Mortise {
    /// A key, without what opens it.
    ///
    /// ```swift
    /// for try await key in client.keys(.service(workspace: "shop")).list() where key.status == .active {
    ///     print(key.id, key.name, key.prefix, key.description ?? "", "may", key.scopes)
    ///     print("made by", key.createdBy, "at", key.createdAt, "for", key.metadata["team"] ?? "nobody")
    ///     let lastUse = key.lastUsedAt ?? key.createdAt
    ///     let isForgotten = key.expiresAt == nil && lastUse.timeIntervalSinceNow < -90 * 86_400
    ///     if isForgotten { print("Nobody used it for 90 days, and it never expires.") }
    /// }
    /// ```
    ///
    /// What bounds a key:
    ///
    /// ```swift
    /// let key = try await client.keys(.client(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
    /// print(key.subject ?? "nobody", key.type ?? "unlabelled", key.mode.rawValue, key.workspaceID ?? "")
    /// print("from", key.allowedAddresses.isEmpty ? ["everywhere"] : key.allowedAddresses)
    /// print("in", key.allowedNamespaces ?? ["every namespace"])
    /// if key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil { print("as often as they like") }
    /// ```
    ///
    /// How a key ends:
    ///
    /// ```swift
    /// let key = try await client.keys(.admin(organization: "acme")).get("0198c0de-0000-7000-8000-000000000001")
    /// if let time = key.revokedAt {
    ///     print(key.revokedBy ?? "somebody", "revoked it at", time, key.revocationReason ?? "")
    /// } else if let time = key.deprecatedAt, let end = key.gracePeriodEndsAt {
    ///     print("since", time, "it ends at", end, "in favour of", key.replacedBy ?? "nothing")
    /// } else if key.secrets.count == 2 {
    ///     print("rotated at", key.updatedAt, "and may still", key.permissions)
    /// }
    /// ```
    public struct Key: Sendable, Hashable, Identifiable {
        /// Its id.
        public let id: String
        /// The workspace that it belongs to; `nil` for admin and operator keys.
        public let workspaceID: String?
        /// Its name, for people.
        public let name: String
        /// What it is for, for people.
        public let description: String?
        /// `service`, `anon`, `admin` or `operator`, or what a client key was labelled as.
        public let type: String?
        /// Whom a client key belongs to.
        public let subject: String?
        /// Whether it is for production or for tests.
        public let mode: Mode
        /// The first 16 characters of its newest token.
        public let prefix: String
        /// What can be done with it now.
        public let status: Status
        /// What it may do, in the application's words.
        public let scopes: [String]
        /// What an admin or operator key may do in this API.
        public let permissions: [String]
        /// The namespaces in which it works: all when `nil`, only the default one when empty.
        public let allowedNamespaces: [String]?
        /// The addresses and ranges from which it works; all when empty.
        public let allowedAddresses: [String]
        /// How often a minute it may be used; unlimited when `nil`.
        public let rateLimitPerMinute: Int?
        /// How often an hour it may be used; unlimited when `nil`.
        public let rateLimitPerHour: Int?
        /// When it expires; never when `nil`.
        public let expiresAt: Date?
        /// What the application keeps with it.
        public let metadata: [String: JSONContent]
        /// Who made it.
        public let createdBy: String
        /// When it was made.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date
        /// When it was last used, to about a minute.
        public let lastUsedAt: Date?
        /// When it was deprecated.
        public let deprecatedAt: Date?
        /// Until when a deprecated key works yet.
        public let gracePeriodEndsAt: Date?
        /// When it was revoked.
        public let revokedAt: Date?
        /// Who revoked it.
        public let revokedBy: String?
        /// Why it was revoked.
        public let revocationReason: String?
        /// The key that replaces it.
        public let replacedBy: String?
        /// What can open it: two while it is being rotated.
        public let secrets: [Secret]
    }
}

extension Mortise.Key {
    /// Whether a key is for production or for tests.
    ///
    /// ```swift
    /// let draft = Mortise.KeyDraft(name: "nightly", mode: .test)
    /// print((draft.mode ?? .live).rawValue)
    /// ```
    public struct Mode: RawRepresentable, Sendable, Hashable {
        /// The mode on the wire.
        public let rawValue: String

        /// Takes a mode as it is on the wire.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// For production.
        public static let live = Mode(rawValue: "live")
        /// For tests.
        public static let test = Mode(rawValue: "test")
    }

    /// What can be done with a key now; there may be more one day.
    ///
    /// ```swift
    /// for try await key in client.keys(.service(workspace: "shop")).list() {
    ///     switch key.status {
    ///     case .active: print(key.name, "works")
    ///     case .deprecated: print(key.name, "works until", key.gracePeriodEndsAt ?? .distantFuture)
    ///     case .disabled: print(key.name, "works when it is enabled again")
    ///     case .expired, .revoked: print(key.name, "is over")
    ///     default: print(key.name, key.status.rawValue)
    ///     }
    /// }
    /// ```
    public struct Status: RawRepresentable, Sendable, Hashable {
        /// The status on the wire.
        public let rawValue: String

        /// Takes a status as it is on the wire.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// It works.
        public static let active = Status(rawValue: "active")
        /// It does not work until it is enabled.
        public static let disabled = Status(rawValue: "disabled")
        /// It works until its grace period ends.
        public static let deprecated = Status(rawValue: "deprecated")
        /// It worked until its time was up.
        public static let expired = Status(rawValue: "expired")
        /// It never works again.
        public static let revoked = Status(rawValue: "revoked")
    }

    /// What opens a key, but for the token itself.
    ///
    /// ```swift
    /// let key = try await client.keys(.service(workspace: "shop")).get("0198c0de-0000-7000-8000-000000000001")
    /// for secret in key.secrets {
    ///     guard let end = secret.endsAt, let use = secret.lastUsedAt else { continue }
    ///     print("The old token", secret.prefix, "of", secret.createdAt, "ends at", end, "and was in use at", use)
    /// }
    /// ```
    public struct Secret: Sendable, Hashable {
        /// The first characters of the token.
        public let prefix: String
        /// When it was made.
        public let createdAt: Date
        /// When it stops working, after a rotation.
        public let endsAt: Date?
        /// When it was last used.
        public let lastUsedAt: Date?
    }
}

extension Mortise {
    /// A key with its new token.
    ///
    /// ```swift
    /// let issued = try await client.keys(.service(workspace: "shop")).create(Mortise.KeyDraft(name: "CI"))
    /// try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
    /// print(issued.key.id)
    /// ```
    public struct IssuedKey: Sendable, Hashable {
        /// The key.
        public let key: Key
        /// The token, shown this once.
        public let token: SecretToken
    }
}
