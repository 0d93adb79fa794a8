public import FoundationEssentials

extension Fluxbase {
    /// A key of a user.
    ///
    /// ```swift
    /// let keys = client.management.clientKeys
    /// for key in try await keys.list().clientKeys where key.revokedAt == nil && key.expiresAt == nil {
    ///     let isForgotten = (key.lastUsedAt ?? key.createdAt).timeIntervalSinceNow < -90 * 86_400
    ///     if isForgotten {
    ///         print(key.keyPrefix, key.name, key.description ?? "", "of", key.userID, "may", key.scopes)
    ///         try await keys.revoke(key.id)
    ///     }
    /// }
    /// ```
    ///
    /// What bounds a key:
    ///
    /// ```swift
    /// let key = try await client.management.clientKeys.get("0198c0de-0000-7000-8000-000000000001")
    /// let places = key.allowedNamespaces?.joined(separator: ", ") ?? "every namespace"
    /// print(key.rateLimitPerMinute, "calls a minute in", places, "since", key.updatedAt ?? key.createdAt)
    /// ```
    public struct ClientKey: Sendable, Hashable, Identifiable {
        /// Its id.
        public let id: String
        /// Its name, for people.
        public let name: String
        /// What it is for, for people.
        public let description: String?
        /// The first 12 characters of its token.
        public let keyPrefix: String
        /// The user that it belongs to.
        public let userID: String
        /// What it may do.
        public let scopes: [String]
        /// The namespaces in which it works; all when `nil`.
        public let allowedNamespaces: [String]?
        /// How often a minute it may be used.
        public let rateLimitPerMinute: Int
        /// When it was made.
        public let createdAt: Date
        /// When it was last changed.
        public let updatedAt: Date?
        /// When it expires; never when `nil`.
        public let expiresAt: Date?
        /// When it was revoked.
        public let revokedAt: Date?
        /// When it was last used.
        public let lastUsedAt: Date?
    }

    /// A new client key and its token.
    ///
    /// ```swift
    /// let created = try await client.management.apiKeys.create(name: "Reports", scopes: ["read:tables"])
    /// try created.key.reveal().write(toFile: "reports.key", atomically: true, encoding: .utf8)
    /// print(created.clientKey.id, created.apiKey == created.clientKey)  // true: the older name of the same key
    /// ```
    public struct CreateClientKeyResponse: Sendable, Hashable {
        /// The key.
        public let clientKey: ClientKey
        /// Its token, shown this once.
        public let key: SecretToken
        /// The key under its older name.
        public var apiKey: ClientKey { clientKey }
    }

    /// All client keys that the caller may see.
    ///
    /// ```swift
    /// let list = try await client.management.clientKeys.list()
    /// for key in list.clientKeys { print(key.name) }
    /// print(list.total, list.apiKeys == list.clientKeys)  // true: the older name of the same keys
    /// ```
    public struct ListClientKeysResponse: Sendable, Hashable {
        /// The keys, newest first.
        public let clientKeys: [ClientKey]
        /// How many there are.
        public let total: Int
        /// The keys under their older name.
        public var apiKeys: [ClientKey] { clientKeys }
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

extension Fluxbase.CreateClientKeyResponse: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        clientKey = try answer.object("client_key")
        key = try answer.token("key")
    }
}

extension Fluxbase.ListClientKeysResponse: AnswerReadable {
    init(_ answer: AnswerReader) throws(AnswerFault) {
        clientKeys = try answer.objects("client_keys")
        total = try answer.integer("total")
    }
}
