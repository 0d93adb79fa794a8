/// A collection of keys with one owner.
///
/// @Snippet(path: "mortise/Snippets/MortiseClient/ManageKeys", slice: "collection")
public enum KeyCollection: Sendable, Hashable {
    /// The service keys of a workspace, which is named by its id, or by its slug in the organization of the credential.
    case service(workspace: String)
    /// The client keys of a workspace, which is named by its id or slug.
    ///
    /// Each key belongs to a subject.
    case client(workspace: String)
    /// The admin keys of an organization, which is named by its id or slug.
    case admin(organization: String)
    /// The operator keys of the platform.
    case `operator`

    /// Returns the path of the collection, followed by more segments.
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
