/// What the managers of Fluxbase's client work with; they call the server at `/api/v1`.
///
/// ```swift
/// let key: Fluxbase.ClientKey = try await client.management.clientKeys.get("0198c0de-0000-7000-8000-000000000001")
/// print(key.name)
/// ```
public enum Fluxbase {
    /// The keys of users, as `client.management` in Fluxbase's client.
    ///
    /// ```swift
    /// let created = try await client.management.clientKeys.create(name: "Reports", scopes: ["read:tables"])
    /// print(created.clientKey.id)
    /// ```
    public struct Management: Sendable {
        let transport: Transport

        /// The signed-in user's client keys; an administrator's are all of the workspace.
        ///
        /// ```swift
        /// let list = try await client.management.clientKeys.list()
        /// print(list.total)
        /// ```
        public var clientKeys: ClientKeysManager { ClientKeysManager(transport: transport, resource: "client-keys") }

        /// The same keys under their older name.
        ///
        /// ```swift
        /// let list = try await client.management.apiKeys.list()
        /// print(list.apiKeys.map(\.name))
        /// ```
        public var apiKeys: APIKeysManager { APIKeysManager(transport: transport, resource: "api-keys") }
    }

    /// The name that client keys had before.
    ///
    /// ```swift
    /// let key: Fluxbase.APIKey = try await client.management.apiKeys.get("0198c0de-0000-7000-8000-000000000001")
    /// print(key.keyPrefix)
    /// ```
    public typealias APIKey = ClientKey
    /// The name that the manager of client keys had before.
    ///
    /// ```swift
    /// let manager: Fluxbase.APIKeysManager = client.management.apiKeys
    /// try await manager.revoke("0198c0de-0000-7000-8000-000000000001")
    /// ```
    public typealias APIKeysManager = ClientKeysManager
    /// The name that the answer to a creation had before.
    ///
    /// ```swift
    /// let manager = client.management.apiKeys
    /// let made: Fluxbase.CreateAPIKeyResponse = try await manager.create(name: "Reports", scopes: ["read:tables"])
    /// print(made.apiKey.id)
    /// ```
    public typealias CreateAPIKeyResponse = CreateClientKeyResponse
    /// The name that a list of client keys had before.
    ///
    /// ```swift
    /// let found: Fluxbase.ListAPIKeysResponse = try await client.management.apiKeys.list()
    /// print(found.total)
    /// ```
    public typealias ListAPIKeysResponse = ListClientKeysResponse
}
