public import FoundationEssentials
import JSON

extension Fluxbase {
    /// The service keys of a workspace: the default one, or that of `Mortise.forWorkspace(_:)`.
    ///
    /// ```swift
    /// let manager = client.forWorkspace("shop").admin.serviceKeys
    /// for key in try await manager.list() { print(key.name, key.keyPrefix) }
    /// ```
    public struct ServiceKeysManager: Sendable {
        let transport: Transport

        /// All service keys, newest first.
        ///
        /// ```swift
        /// let keys = try await client.admin.serviceKeys.list()
        /// print(keys.count)
        /// ```
        public func list() async throws(MortiseError) -> [ServiceKey] {
            try await transport.read(.get(path()).of(.fluxbase)) { body throws(AnswerFault) in
                try AnswerReader.objects(body)
            }
        }

        /// One service key.
        ///
        /// ```swift
        /// let key = try await client.admin.serviceKeys.get("0198c0de-0000-7000-8000-000000000001")
        /// print(key.scopes)
        /// ```
        public func get(_ id: String) async throws(MortiseError) -> ServiceKey {
            try await transport.read(.get(path(id)).of(.fluxbase))
        }

        /// Makes a service key.
        ///
        /// ```swift
        /// let created = try await client.admin.serviceKeys.create(
        ///     name: "Production API Key",
        ///     scopes: ["*"],
        ///     rateLimitPerMinute: 1000
        /// )
        /// try created.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 1 to 255 characters, unique in the workspace.
        ///   - keyType: what it is for.
        ///   - description: what it is for, for people.
        ///   - scopes: what it may do; everything for services and `read` for the public when absent.
        ///   - allowedNamespaces: the namespaces in which it works; all when absent.
        ///   - rateLimitPerMinute: how often a minute it may be used; unlimited when absent.
        ///   - rateLimitPerHour: how often an hour it may be used; unlimited when absent.
        ///   - expiresAt: when it expires; never when absent.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The key and its token, which is shown this once.
        /// - Throws: `MortiseError`.
        public func create(
            name: String,
            keyType: ServiceKey.KeyType = .service,
            description: String? = nil,
            scopes: [String]? = nil,
            allowedNamespaces: [String]? = nil,
            rateLimitPerMinute: Int? = nil,
            rateLimitPerHour: Int? = nil,
            expiresAt: Date? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> ServiceKeyWithKey {
            var body = JSONObject()
            body.add("name", name)
            body.add("key_type", keyType.rawValue)
            body.add("description", description)
            body.add("scopes", scopes)
            body.add("allowed_namespaces", allowedNamespaces)
            body.add("rate_limit_per_minute", rateLimitPerMinute)
            body.add("rate_limit_per_hour", rateLimitPerHour)
            body.add("expires_at", expiresAt)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key).of(.fluxbase))
        }

        /// Changes the settings of a service key; what is absent stays.
        ///
        /// ```swift
        /// let key = try await client.admin.serviceKeys.update(
        ///     "0198c0de-0000-7000-8000-000000000001",
        ///     name: "New name",
        ///     rateLimitPerMinute: 2000
        /// )
        /// print(key.name)
        /// ```
        ///
        /// - Parameters:
        ///   - id: the key's id.
        ///   - name: the new name.
        ///   - description: what it is for.
        ///   - scopes: what it may do.
        ///   - allowedNamespaces: the namespaces in which it works.
        ///   - isEnabled: whether it is switched on.
        ///   - rateLimitPerMinute: how often a minute it may be used.
        ///   - rateLimitPerHour: how often an hour it may be used.
        /// - Returns: The key as it is now.
        /// - Throws: `MortiseError`.
        public func update(
            _ id: String,
            name: String? = nil,
            description: String? = nil,
            scopes: [String]? = nil,
            allowedNamespaces: [String]? = nil,
            isEnabled: Bool? = nil,
            rateLimitPerMinute: Int? = nil,
            rateLimitPerHour: Int? = nil
        ) async throws(MortiseError) -> ServiceKey {
            var body = JSONObject()
            body.add("name", name)
            body.add("description", description)
            body.add("scopes", scopes)
            body.add("allowed_namespaces", allowedNamespaces)
            body["enabled"] = isEnabled.map(JSONValue.bool)
            body.add("rate_limit_per_minute", rateLimitPerMinute)
            body.add("rate_limit_per_hour", rateLimitPerHour)
            return try await transport.read(.put(path(id), body).of(.fluxbase))
        }

        /// Deletes a service key; the history of its revocation stays.
        ///
        /// ```swift
        /// try await client.admin.serviceKeys.delete("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func delete(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)).of(.fluxbase))
        }

        func path(_ more: String...) -> [String] { ["api", "v1", "admin", "service-keys"] + more }
    }
}
