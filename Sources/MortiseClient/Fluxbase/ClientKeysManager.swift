import JSON

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// The manager of client keys: create, list, get, update, revoke, delete.
    ///
    /// The keys are those of the default workspace, or of the workspace of ``Mortise/forWorkspace(_:)``. A member
    /// manages the keys of their own user. A credential with the permission `keys:read` or `keys:write` reads or
    /// changes all keys.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-client-key")
    public struct ClientKeysManager: Sendable {
        let transport: Transport
        let resource: String

        /// Creates a client key.
        ///
        /// Requires a member's session, or the permission `keys:write`. The key belongs to the user of the session. The
        /// call is retried under its idempotency key.
        ///
        /// - Parameters:
        ///   - name: The name, 1 to 255 characters.
        ///   - description: The description, at most 2000 characters.
        ///   - scopes: The scopes, 1 to 100 texts of your own.
        ///   - rateLimitPerMinute: The maximum number of uses per minute. `nil` and 0 mean 100.
        ///   - expiresAt: The time at which the key expires, in the future. `nil` means never.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The key and its token. No later response contains the token.
        /// - Throws: ``MortiseError``, for example with the reason `.invalidRequest`.
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

        /// Lists the client keys that the caller can read, newest first.
        ///
        /// - Returns: The keys, at most 10 000.
        /// - Throws: ``MortiseError`` if the keys cannot be read.
        public func list() async throws(MortiseError) -> ListClientKeysResponse {
            try await transport.read(.get(path()).of(.fluxbase))
        }

        /// Gets a client key.
        ///
        /// - Parameter keyID: The id of the key.
        /// - Returns: The key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func get(_ keyID: String) async throws(MortiseError) -> ClientKey {
            try await transport.read(.get(path(keyID)).of(.fluxbase))
        }

        /// Changes the settings of a client key.
        ///
        /// A parameter that is left out keeps its setting.
        ///
        /// The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - keyID: The id of the key.
        ///   - name: The new name, 1 to 255 characters.
        ///   - description: The new description, at most 2000 characters.
        ///   - scopes: The new scopes, 1 to 100, which replace the old ones.
        ///   - rateLimitPerMinute: The new maximum number of uses per minute, at least 1.
        /// - Returns: The key with the new settings.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the key is revoked.
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

        /// Revokes a client key at once and forever.
        ///
        /// The key stays in the list.
        ///
        /// The call is retried only if nothing was sent.
        ///
        /// - Parameter keyID: The id of the key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func revoke(_ keyID: String) async throws(MortiseError) {
            try await transport.run(.post(path(keyID, "revoke"), JSONObject()).of(.fluxbase))
        }

        /// Deletes a client key.
        ///
        /// The key stops working at once and forever. The call is retried only if nothing was sent.
        ///
        /// - Parameter keyID: The id of the key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func delete(_ keyID: String) async throws(MortiseError) {
            try await transport.run(.delete(path(keyID)).of(.fluxbase))
        }

        private func path(_ more: String...) -> [String] { ["api", "v1", resource] + more }
    }
}
