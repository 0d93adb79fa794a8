extension Mortise {
    /// The client keys of a workspace, as `client.management` in Fluxbase's client.
    public var management: Fluxbase.Management { Fluxbase.Management(transport: transport) }

    /// The managers that Fluxbase's and Boltz's clients call `admin`.
    public var admin: Admin { Admin(transport: transport) }

    /// The API keys of an application's users and organizations, as `clerk.apiKeys` in Clerk's client.
    public var apiKeys: Clerk.APIKeysManager { Clerk.APIKeysManager(transport: transport) }

    /// The managers that Fluxbase's and Boltz's clients call `admin`.
    public struct Admin: Sendable {
        let transport: Transport

        /// The service keys of a workspace, as `client.admin.serviceKeys` in Fluxbase's client.
        public var serviceKeys: Fluxbase.ServiceKeysManager { Fluxbase.ServiceKeysManager(transport: transport) }

        /// The keys of all workspaces of an organization, as `client.admin.api_keys` in Boltz's client.
        public var apiKeys: Boltz.APIKeysManager { Boltz.APIKeysManager(transport: transport) }
    }
}
