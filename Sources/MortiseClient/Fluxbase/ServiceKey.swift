public import FoundationEssentials

extension Fluxbase {
    /// A key of a workspace, for services or, of the type `anon`, for the public.
    ///
    /// ```swift
    /// for key in try await client.admin.serviceKeys.list() where key.isEnabled && key.revokedAt == nil {
    ///     print(key.id, key.name, key.description ?? "", key.keyPrefix, "may", key.scopes)
    ///     print("in", key.allowedNamespaces ?? ["every namespace"], "until", key.expiresAt ?? .distantFuture)
    ///     if key.keyType == .anon, key.rateLimitPerMinute == nil, key.rateLimitPerHour == nil {
    ///         print("The public has no limit here; ask", key.createdBy ?? "somebody")
    ///     }
    /// }
    /// ```
    ///
    /// Whether the old key of a rotation is in use yet:
    ///
    /// ```swift
    /// let old = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
    /// if let start = old.deprecatedAt, let end = old.gracePeriodEndsAt, let successor = old.replacedBy {
    ///     let isInUse = (old.lastUsedAt ?? old.createdAt) > start
    ///     print(successor, "takes over until", end, isInUse ? "and not everybody has it" : "")
    /// }
    /// ```
    public struct ServiceKey: Sendable, Hashable, Identifiable {
        /// What a service key is for.
        ///
        /// ```swift
        /// let site = try await client.admin.serviceKeys.create(name: "Site", keyType: .anon)
        /// print(site.serviceKey.scopes)
        /// let backend = try await client.admin.serviceKeys.create(name: "Backend", keyType: .service)
        /// print(backend.serviceKey.keyType.rawValue)
        /// ```
        public struct KeyType: RawRepresentable, Sendable, Hashable {
            /// The type on the wire.
            public let rawValue: String

            /// Takes a type as it is on the wire.
            public init(rawValue: String) { self.rawValue = rawValue }

            /// For services.
            public static let service = KeyType(rawValue: "service")
            /// For the public.
            public static let anon = KeyType(rawValue: "anon")
        }

        /// Its id.
        public let id: String
        /// Its name, unique in the workspace.
        public let name: String
        /// What it is for, for people.
        public let description: String?
        /// The first 16 characters of its token.
        public let keyPrefix: String
        /// What it is for.
        public let keyType: KeyType
        /// What it may do.
        public let scopes: [String]
        /// The namespaces in which it works; all when `nil`.
        public let allowedNamespaces: [String]?
        /// Whether it is switched on.
        public let isEnabled: Bool
        /// How often a minute it may be used; unlimited when `nil`.
        public let rateLimitPerMinute: Int?
        /// How often an hour it may be used; unlimited when `nil`.
        public let rateLimitPerHour: Int?
        /// Who made it.
        public let createdBy: String?
        /// When it was made.
        public let createdAt: Date
        /// When it was last used.
        public let lastUsedAt: Date?
        /// When it expires; never when `nil`.
        public let expiresAt: Date?
        /// When it was revoked.
        public let revokedAt: Date?
        /// When it was deprecated; in the answer to a rotation, when the old key was.
        public let deprecatedAt: Date?
        /// Until when a deprecated key works yet; in the answer to a rotation, until when the old key does.
        public let gracePeriodEndsAt: Date?
        /// The key that replaces it.
        public let replacedBy: String?
    }

    /// A service key and its new token.
    ///
    /// ```swift
    /// let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
    /// try rotated.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
    /// print("The new key is", rotated.serviceKey.id)
    /// ```
    public struct ServiceKeyWithKey: Sendable, Hashable {
        /// The service key.
        public let serviceKey: ServiceKey
        /// Its token, shown this once.
        public let key: SecretToken
    }

    /// Until when a deprecated key works.
    ///
    /// ```swift
    /// let deprecation = try await client.admin.serviceKeys.deprecate("0198c0de-0000-7000-8000-000000000001")
    /// let pause = deprecation.gracePeriodEndsAt.timeIntervalSince(deprecation.deprecatedAt)
    /// print("It works for", pause / 3600, "hours yet.")
    /// ```
    public struct Deprecation: Sendable, Hashable {
        /// When it was deprecated.
        public let deprecatedAt: Date
        /// Until when it works.
        public let gracePeriodEndsAt: Date
    }

    /// When, by whom and why a key was revoked.
    ///
    /// ```swift
    /// let history = try await client.admin.serviceKeys.getRevocationHistory("0198c0de-0000-7000-8000-000000000001")
    /// if let time = history.revokedAt {
    ///     print(history.revokedBy, "revoked", history.name, history.id, "at", time, history.revocationReason)
    /// }
    /// ```
    public struct RevocationHistory: Sendable, Hashable, Identifiable {
        /// The key's id.
        public let id: String
        /// The key's name.
        public let name: String
        /// When it was revoked; `nil` if it was not.
        public let revokedAt: Date?
        /// Who revoked it; empty if nobody did.
        public let revokedBy: String
        /// Why; empty if no reason was given.
        public let revocationReason: String
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

extension Fluxbase.ServiceKeyWithKey: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        serviceKey = try Fluxbase.ServiceKey(answer)
        key = try answer.token("key")
    }
}

extension Fluxbase.Deprecation: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        deprecatedAt = try answer.time("deprecated_at")
        gracePeriodEndsAt = try answer.time("grace_period_ends_at")
    }
}

extension Fluxbase.RevocationHistory: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        id = try answer.text("id")
        name = try answer.text("name")
        // The dialect has texts here that are empty where there is nothing to say.
        let time = try answer.textIfAny("revoked_at") ?? ""
        revokedAt = time.isEmpty ? nil : try answer.time("revoked_at")
        revokedBy = try answer.textIfAny("revoked_by") ?? ""
        revocationReason = try answer.textIfAny("revocation_reason") ?? ""
    }
}
