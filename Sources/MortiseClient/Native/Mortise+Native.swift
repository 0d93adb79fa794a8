extension Mortise {
    /// The organizations of the platform; they need the operator key.
    ///
    /// ```swift
    /// for try await organization in client.organizations.list() { print(organization.slug) }
    /// ```
    public var organizations: Organizations { Organizations(transport: transport) }

    /// The workspaces that the credential reaches.
    ///
    /// ```swift
    /// let workspace = try await client.workspaces.get("default")
    /// print(workspace.state)
    /// ```
    public var workspaces: Workspaces { Workspaces(transport: transport) }

    /// The keys of one place.
    ///
    /// ```swift
    /// let phones = client.keys(.client(workspace: "shop"))
    /// for try await key in phones.list(subject: "user_42") { print(key.name) }
    /// ```
    public func keys(_ collection: KeyCollection) -> Keys { Keys(transport: transport, collection: collection) }

    /// The members of an organization.
    ///
    /// ```swift
    /// for try await member in client.members(of: "acme").list() { print(member.user.email, member.role.rawValue) }
    /// ```
    ///
    /// - Parameter organization: the organization's id or slug.
    /// - Returns: Its members.
    public func members(of organization: String) -> Members {
        Members(transport: transport, organization: organization)
    }

    /// The session issuers of an organization, whose users manage their own client keys; they need the operator key.
    ///
    /// ```swift
    /// let issuers = try await client.sessionIssuers(of: "acme").list().all()
    /// print(issuers.map(\.issuer))
    /// ```
    ///
    /// - Parameter organization: the organization's id or slug.
    /// - Returns: Its session issuers.
    public func sessionIssuers(of organization: String) -> SessionIssuers {
        SessionIssuers(transport: transport, organization: organization)
    }
}

/// Where keys are.
///
/// ```swift
/// func owner(_ collection: KeyCollection) -> String {
///     switch collection {
///     case .service(let workspace): "the services of \(workspace)"
///     case .client(let workspace): "the users of \(workspace)"
///     case .admin(let organization): "the administrators of \(organization)"
///     case .operator: "the operators"
///     }
/// }
/// let keys = client.keys(.admin(organization: "acme"))
/// print(owner(keys.collection), "have", try await keys.list().all().count, "keys")
/// ```
public enum KeyCollection: Sendable, Hashable {
    /// The service keys of a workspace, which is named by id, or by slug within the credential's organization.
    case service(workspace: String)
    /// The client keys of a workspace, each of which belongs to a subject.
    case client(workspace: String)
    /// The admin keys of an organization.
    case admin(organization: String)
    /// The operator keys of the platform.
    case `operator`

    /// The path of the keys, or of one of them and what follows.
    func path(_ more: String...) -> [String] {
        let base: [String] =
            switch self {
            case .service(let workspace): ["v1", "workspaces", workspace, "service-keys"]
            case .client(let workspace): ["v1", "workspaces", workspace, "client-keys"]
            case .admin(let organization): ["v1", "organizations", organization, "admin-keys"]
            case .operator: ["v1", "operator-keys"]
            }
        return base + more
    }
}
