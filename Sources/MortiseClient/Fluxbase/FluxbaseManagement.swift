extension Fluxbase {
    /// The managers of client keys, as `client.management` in Fluxbase's client.
    public struct Management: Sendable {
        let transport: Transport

        /// The manager of client keys.
        public var clientKeys: ClientKeysManager { ClientKeysManager(transport: transport, resource: "client-keys") }

        /// The manager of client keys, by their older name.
        public var apiKeys: APIKeysManager { APIKeysManager(transport: transport, resource: "api-keys") }
    }
}
