extension Mortise {
    /// The calls for organizations.
    public var organizations: Organizations { Organizations(transport: transport) }

    /// The calls for workspaces.
    public var workspaces: Workspaces { Workspaces(transport: transport) }

    /// Returns the calls for a collection of keys.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "collections")
    ///
    /// - Parameter collection: The collection. Its workspace or organization need not exist before the first call.
    /// - Returns: The calls for the collection.
    public func keys(_ collection: KeyCollection) -> Keys { Keys(transport: transport, collection: collection) }

    /// Returns the calls for the members of an organization.
    ///
    /// - Parameter organization: The id or slug of the organization.
    /// - Returns: The calls for its members.
    public func members(of organization: String) -> Members {
        Members(transport: transport, organization: organization)
    }

    /// Returns the calls for the session issuers of an organization.
    ///
    /// - Parameter organization: The id or slug of the organization.
    /// - Returns: The calls for its session issuers.
    public func sessionIssuers(of organization: String) -> SessionIssuers {
        SessionIssuers(transport: transport, organization: organization)
    }

    /// Returns the calls for the webhooks of an organization.
    ///
    /// - Parameter organization: The id or slug of the organization.
    /// - Returns: The calls for its webhooks.
    public func webhooks(of organization: String) -> Webhooks {
        Webhooks(transport: transport, organization: organization)
    }
}
