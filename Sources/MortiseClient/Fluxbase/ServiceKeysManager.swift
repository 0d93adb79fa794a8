import JSON

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Fluxbase {
    /// The manager of service keys.
    ///
    /// The keys are those of the default workspace, or of the workspace of ``Mortise/forWorkspace(_:)``. Reading
    /// requires the permission `keys:read`, and changes require `keys:write`.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/SpeakDialects", slice: "fluxbase-service-key")
    public struct ServiceKeysManager: Sendable {
        let transport: Transport

        /// Lists the service keys, newest first.
        ///
        /// Requires the permission `keys:read`.
        ///
        /// - Returns: The keys, at most 10 000.
        /// - Throws: ``MortiseError`` if the keys cannot be read.
        public func list() async throws(MortiseError) -> [ServiceKey] {
            try await transport.read(.get(path()).of(.fluxbase)) { body throws(AnswerFault) in
                try AnswerReader.objects(body)
            }
        }

        /// Gets a service key.
        ///
        /// Requires the permission `keys:read`.
        ///
        /// - Parameter id: The id of the key.
        /// - Returns: The key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func get(_ id: String) async throws(MortiseError) -> ServiceKey {
            try await transport.read(.get(path(id)).of(.fluxbase))
        }

        /// Creates a service key.
        ///
        /// Requires the permission `keys:write`. The call is retried under its idempotency key.
        ///
        /// - Parameters:
        ///   - name: The name, 1 to 255 characters, unique among the keys of the workspace that are not revoked.
        ///   - keyType: The type of the key.
        ///   - description: The description, at most 2000 characters.
        ///   - scopes: The scopes, at most 100 texts of your own. `nil` means `*` for services and `read` for public
        ///     clients.
        ///   - allowedNamespaces: The namespaces in which the key works. `nil` means all.
        ///   - rateLimitPerMinute: The maximum number of uses per minute, at least 1. `nil` means no limit.
        ///   - rateLimitPerHour: The maximum number of uses per hour, at least 1. `nil` means no limit.
        ///   - expiresAt: The time at which the key expires, in the future. `nil` means never.
        ///   - idempotencyKey: A text of your own, which makes the call safe to repeat for 24 hours. `nil` means a
        ///     random one.
        /// - Returns: The key and its token. No later response contains the token.
        /// - Throws: ``MortiseError``, for example with the reason `.conflict` if the name is taken.
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

        /// Changes the settings of a service key.
        ///
        /// Requires the permission `keys:write`. A parameter that is left out keeps its setting, and no setting can be
        /// cleared. The call is retried only if nothing was sent.
        ///
        /// - Parameters:
        ///   - id: The id of the key.
        ///   - name: The new name.
        ///   - description: The new description.
        ///   - scopes: The new scopes, which replace the old ones.
        ///   - allowedNamespaces: The new namespaces in which the key works.
        ///   - isEnabled: True to enable the key, and false to disable it.
        ///   - rateLimitPerMinute: The new maximum number of uses per minute.
        ///   - rateLimitPerHour: The new maximum number of uses per hour.
        /// - Returns: The key with the new settings.
        /// - Throws: ``MortiseError``, for example with the reason `.invalidRequest` if every parameter is left out.
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

        /// Deletes a service key.
        ///
        /// Requires the permission `keys:write`. The key stops working at once and forever. The history of its
        /// revocation stays. The call is retried only if nothing was sent.
        ///
        /// - Parameter id: The id of the key.
        /// - Throws: ``MortiseError``, with the reason `.notFound` if the key does not exist.
        public func delete(_ id: String) async throws(MortiseError) {
            try await transport.run(.delete(path(id)).of(.fluxbase))
        }

        func path(_ more: String...) -> [String] { ["api", "v1", "admin", "service-keys"] + more }
    }
}
