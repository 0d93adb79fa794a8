import Endpoints
import Keys
import Surfaces

/// The sets of keys that one group of operations serves.
enum KeyFamily: Sendable {
    /// The keys of a workspace.
    case service
    /// The keys of the subjects of a workspace.
    case client
    /// The keys that manage an organization.
    case admin
    /// The keys that manage the platform.
    case `operator`

    /// The path of the list.
    var path: String {
        switch self {
        case .service: "/v1/workspaces/{workspace}/service-keys"
        case .client: "/v1/workspaces/{workspace}/client-keys"
        case .admin: "/v1/organizations/{organization}/admin-keys"
        case .operator: "/v1/operator-keys"
        }
    }

    /// The name in the operations' names.
    var schemaName: String {
        switch self {
        case .service: "ServiceKey"
        case .client: "ClientKey"
        case .admin: "AdminKey"
        case .operator: "OperatorKey"
        }
    }

    /// The name in sentences.
    var noun: String {
        switch self {
        case .service: "service key"
        case .client: "client key"
        case .admin: "admin key"
        case .operator: "operator key"
        }
    }

    /// The heading in the document.
    var tag: String {
        switch self {
        case .service: NativeSurface.Tag.serviceKeys
        case .client: NativeSurface.Tag.clientKeys
        case .admin: NativeSurface.Tag.adminKeys
        case .operator: NativeSurface.Tag.operatorKeys
        }
    }

    /// The parameters of the path of the list.
    var parameters: [PathParameter] {
        switch self {
        case .service, .client: [DomainSchema.workspaceParameter]
        case .admin: [OrganizationRoutes.parameter]
        case .operator: []
        }
    }

    /// Who may call an operation that needs a permission.
    func access(_ permission: Permission) -> Access {
        switch self {
        case .service: .admin(permission)
        case .client: .owner(permission)
        case .admin: .anybody(permission)
        case .operator: .operator(Permission.platform.rawValue)
        }
    }

    /// The permissions that such a key may have; `nil` where it can have none.
    var permissions: PermissionSet? {
        switch self {
        case .service, .client: nil
        case .admin: .organization
        case .operator: [.platform]
        }
    }

    /// The permissions of a key that is made without being given any.
    var defaultPermissions: PermissionSet {
        self == .operator ? [.platform] : []
    }

    /// What the document says about permissions.
    var permissionsDescription: String {
        self == .operator
            ? "What it may do in this API; everything by default, since there is one permission only."
            : "What it may do in this API: no more than the caller may, and nothing by default."
    }
}
