import Endpoints
import Keys
import Surfaces

/// A kind of key collection.
///
/// All families have the same operations.
enum KeyFamily: Sendable {
    /// The service keys of a workspace.
    case service
    /// The client keys of a workspace.
    case client
    /// The admin keys of an organization.
    case admin
    /// The operator keys of the platform.
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

    /// The family's name in operation ids and schema names.
    var schemaName: String {
        switch self {
        case .service: "ServiceKey"
        case .client: "ClientKey"
        case .admin: "AdminKey"
        case .operator: "OperatorKey"
        }
    }

    /// The family's name in sentences.
    var noun: String {
        switch self {
        case .service: "service key"
        case .client: "client key"
        case .admin: "admin key"
        case .operator: "operator key"
        }
    }

    /// The family's heading in the OpenAPI document.
    var tag: String {
        switch self {
        case .service: NativeSurface.Tag.serviceKeys
        case .client: NativeSurface.Tag.clientKeys
        case .admin: NativeSurface.Tag.adminKeys
        case .operator: NativeSurface.Tag.operatorKeys
        }
    }

    /// The path parameters of the list.
    var parameters: [PathParameter] {
        switch self {
        case .service, .client: [.workspace]
        case .admin: [.organization]
        case .operator: []
        }
    }

    /// Returns the access rule of an operation that needs a permission.
    func access(_ permission: Permission) -> Access {
        switch self {
        case .service: .admin(permission)
        case .client: .owner(permission)
        case .admin: .anybody(permission)
        case .operator: .operator(Permission.platform.rawValue)
        }
    }

    /// The permissions that a key of the family can have.
    ///
    /// `nil` if its keys have no permissions.
    var permissions: PermissionSet? {
        switch self {
        case .service, .client: nil
        case .admin: .organization
        case .operator: [.platform]
        }
    }

    /// The permissions of a key that is created without any.
    var defaultPermissions: PermissionSet {
        self == .operator ? [.platform] : []
    }

    /// The description of `permissions` in the OpenAPI document.
    var permissionsDescription: String {
        self == .operator
            ? "The key's permissions in this API." : "The key's permissions in this API, at most the caller's own."
    }

    /// The sentence about `defaultPermissions` in the OpenAPI document.
    var permissionsDefault: String {
        self == .operator ? "Defaults to the only one, `platform:*`." : "Defaults to none."
    }
}
