public import AsyncHTTPClient

/// A client of one Mortise server.
///
/// It speaks the native API and the dialects of three published clients, whose managers have their names here:
///
/// | here | in the document |
/// |---|---|
/// | `client.management.apiKeys`, `client.management.clientKeys` | Fluxbase: `APIKeysManager`, `ClientKeysManager` |
/// | `client.admin.serviceKeys` | Fluxbase: `ServiceKeysManager` |
/// | `client.apiKeys` | Clerk: `clerk.apiKeys` |
/// | `client.admin.apiKeys` | Boltz: `admin.api_keys` |
///
/// A client is a value that costs nothing to make or copy, and may be used from many tasks at once. Calls throw
/// `MortiseError`, end when their task is cancelled, and never last longer than `ClientOptions.timeout`.
///
/// ```swift
/// let client = Mortise(
///     url: try ServerURL("https://keys.example.com"),
///     credential: .token(SecretToken("mka_live_…"))
/// )
/// let issued = try await client.keys(.service(workspace: "default")).create(Mortise.KeyDraft(name: "CI"))
/// try issued.token.reveal().write(toFile: "ci.key", atomically: true, encoding: .utf8)
/// ```
public struct Mortise: Sendable {
    let transport: Transport

    /// Makes a client; nothing is sent before the first call.
    ///
    /// ```swift
    /// let client = Mortise(url: try ServerURL("http://127.0.0.1:8080"), credential: nil)
    /// print(client.url.text)
    /// ```
    ///
    /// - Parameters:
    ///   - url: where the server answers. The credential is sent there as it is: over plain `http` everyone on the way
    ///     can read it.
    ///   - credential: as whom to call; `nil` calls as nobody.
    ///   - options: deadlines and retries.
    ///   - http: an HTTP client of your own, for its TLS or proxy settings, which you shut down. It should not follow
    ///     redirections, which could carry the credential elsewhere. Without one, all clients share one.
    public init(
        url: ServerURL,
        credential: Credential?,
        options: ClientOptions = ClientOptions(),
        http: HTTPClient? = nil
    ) {
        transport = Transport(
            url: url,
            credential: credential,
            options: options,
            http: http ?? Transport.sharedHTTPClient
        )
    }

    init(transport: Transport) {
        self.transport = transport
    }

    /// The same client with another way to wait between two attempts.
    package func pausing(with pause: @escaping @Sendable (Duration) async throws -> Void) -> Mortise {
        var transport = transport
        transport.pause = pause
        return Mortise(transport: transport)
    }

    /// Where the client calls.
    public var url: ServerURL { transport.url }

    /// A client whose Fluxbase and Clerk managers work in another workspace than the organization's default.
    ///
    /// ```swift
    /// let shop = client.forWorkspace("shop")
    /// let keys = try await shop.admin.serviceKeys.list()
    /// print(keys.count)
    /// ```
    ///
    /// - Parameter workspace: the workspace's id or slug.
    /// - Returns: The client for that workspace.
    public func forWorkspace(_ workspace: String) -> Mortise {
        var transport = transport
        transport.workspace = workspace
        return Mortise(transport: transport)
    }
}

extension Mortise {
    /// The keys of Fluxbase's users, as `client.management` in its client.
    ///
    /// ```swift
    /// let list = try await client.management.apiKeys.list()
    /// print(list.total)
    /// ```
    public var management: Fluxbase.Management { Fluxbase.Management(transport: transport) }

    /// The calls of administrators: Fluxbase's service keys, and Boltz's keys of the organization.
    ///
    /// ```swift
    /// for key in try await client.admin.serviceKeys.list() { print(key.name) }
    /// for try await key in client.admin.apiKeys.list() { print(key.name) }
    /// ```
    public var admin: Admin { Admin(transport: transport) }

    /// The keys of an application's users, as `clerk.apiKeys` in Clerk's client.
    ///
    /// ```swift
    /// let page = try await client.apiKeys.getAll(pageSize: 20)
    /// print(page.totalCount)
    /// ```
    public var apiKeys: Clerk.APIKeysManager { Clerk.APIKeysManager(transport: transport) }

    /// The managers that two published clients call `admin`.
    ///
    /// ```swift
    /// let rotated = try await client.admin.serviceKeys.rotate("0198c0de-0000-7000-8000-000000000001")
    /// print(rotated.serviceKey.keyPrefix)
    /// ```
    public struct Admin: Sendable {
        let transport: Transport

        /// The service keys of a workspace, as in Fluxbase's client.
        ///
        /// ```swift
        /// try await client.admin.serviceKeys.disable("0198c0de-0000-7000-8000-000000000001")
        /// ```
        public var serviceKeys: Fluxbase.ServiceKeysManager { Fluxbase.ServiceKeysManager(transport: transport) }

        /// The keys of all workspaces of the organization, as in Boltz's client.
        ///
        /// ```swift
        /// for try await key in client.admin.apiKeys.list() { print(key.id, key.name) }
        /// ```
        public var apiKeys: Boltz.APIKeysManager { Boltz.APIKeysManager(transport: transport) }
    }
}
