public import FoundationEssentials
import JSON

extension Fluxbase {
    /// The keys of users: create, list, get, update, revoke, delete.
    ///
    /// ```swift
    /// let manager = client.management.clientKeys
    /// let created = try await manager.create(name: "Reports", scopes: ["read:tables"])
    /// try await manager.revoke(created.clientKey.id)
    /// ```
    public struct ClientKeysManager: Sendable {
        let transport: Transport
        let resource: String

        /// Makes a key.
        ///
        /// ```swift
        /// let created = try await client.management.apiKeys.create(
        ///     name: "Production Service",
        ///     scopes: ["read:users", "write:users"],
        ///     rateLimitPerMinute: 100
        /// )
        /// try created.key.reveal().write(toFile: "service.key", atomically: true, encoding: .utf8)
        /// ```
        ///
        /// - Parameters:
        ///   - name: the name, 1 to 255 characters.
        ///   - description: what it is for, for people.
        ///   - scopes: what it may do, one at least.
        ///   - rateLimitPerMinute: how often a minute it may be used; the server's default when absent.
        ///   - expiresAt: when it expires; never when absent.
        ///   - idempotencyKey: makes a repetition harmless for 24 hours; made up when absent.
        /// - Returns: The key and its token, which is shown this once.
        /// - Throws: `MortiseError`.
        public func create(
            name: String,
            description: String? = nil,
            scopes: [String],
            rateLimitPerMinute: Int? = nil,
            expiresAt: Date? = nil,
            idempotencyKey: String? = nil
        ) async throws(MortiseError) -> CreateClientKeyResponse {
            var body = JSONObject()
            body.add("name", name)
            body.add("description", description)
            body.add("scopes", scopes)
            body.add("rate_limit_per_minute", rateLimitPerMinute)
            body.add("expires_at", expiresAt)
            let key = idempotencyKey ?? Call.newIdempotencyKey()
            return try await transport.read(.post(path(), body, idempotencyKey: key).of(.fluxbase))
        }

        /// The keys that the caller may see, newest first.
        ///
        /// ```swift
        /// let list = try await client.management.clientKeys.list()
        /// for key in list.clientKeys { print(key.name, key.keyPrefix) }
        /// ```
        public func list() async throws(MortiseError) -> ListClientKeysResponse {
            try await transport.read(.get(path()).of(.fluxbase))
        }

        /// One key.
        ///
        /// ```swift
        /// let key = try await client.management.apiKeys.get("0198c0de-0000-7000-8000-000000000001")
        /// print(key.scopes)
        /// ```
        public func get(_ keyID: String) async throws(MortiseError) -> ClientKey {
            try await transport.read(.get(path(keyID)).of(.fluxbase))
        }

        /// Changes the settings of a key; what is absent stays.
        ///
        /// ```swift
        /// let key = try await client.management.clientKeys.update(
        ///     "0198c0de-0000-7000-8000-000000000001",
        ///     name: "Updated name",
        ///     rateLimitPerMinute: 200
        /// )
        /// print(key.rateLimitPerMinute)
        /// ```
        ///
        /// - Parameters:
        ///   - keyID: the key's id.
        ///   - name: the new name.
        ///   - description: what it is for.
        ///   - scopes: what it may do.
        ///   - rateLimitPerMinute: how often a minute it may be used.
        /// - Returns: The key as it is now.
        /// - Throws: `MortiseError`.
        public func update(
            _ keyID: String,
            name: String? = nil,
            description: String? = nil,
            scopes: [String]? = nil,
            rateLimitPerMinute: Int? = nil
        ) async throws(MortiseError) -> ClientKey {
            var body = JSONObject()
            body.add("name", name)
            body.add("description", description)
            body.add("scopes", scopes)
            body.add("rate_limit_per_minute", rateLimitPerMinute)
            return try await transport.read(.patch(path(keyID), body).of(.fluxbase))
        }

        /// Revokes a key for good; it stays in the list.
        ///
        /// ```swift
        /// try await client.management.clientKeys.revoke("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func revoke(_ keyID: String) async throws(MortiseError) {
            try await transport.run(.post(path(keyID, "revoke"), JSONObject()).of(.fluxbase))
        }

        /// Deletes a key.
        ///
        /// ```swift
        /// try await client.management.apiKeys.delete("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public func delete(_ keyID: String) async throws(MortiseError) {
            try await transport.run(.delete(path(keyID)).of(.fluxbase))
        }

        private func path(_ more: String...) -> [String] { ["api", "v1", resource] + more }
    }
}
