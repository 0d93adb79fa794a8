/// Who may call an operation.
package enum Access: Sendable, Equatable {
    /// Anybody; no credential is looked at.
    case open
    /// Whoever has a credential of that audience and, where one is named, the permission.
    case restricted(to: Audience, permission: String?)

    /// The credentials that an operation is for.
    package enum Audience: String, Sendable {
        /// Operator keys.
        case `operator`
        /// Admin keys and members.
        case admin
        /// Admin keys and members; those without the permission too, for what is their own.
        case owner
        /// Any credential.
        case any
    }

    /// Operator keys with this permission.
    package static func `operator`(_ permission: String? = nil) -> Access {
        .restricted(to: .operator, permission: permission)
    }

    /// Admin keys and members with this permission.
    package static func admin(_ permission: String? = nil) -> Access { .restricted(to: .admin, permission: permission) }

    /// Admin keys and members with this permission, and members without it for what is their own.
    package static func owner(_ permission: String) -> Access { .restricted(to: .owner, permission: permission) }

    /// Any credential with this permission.
    package static func any(_ permission: String? = nil) -> Access { .restricted(to: .any, permission: permission) }

    /// The permission that is needed, if any.
    package var permission: String? {
        if case .restricted(_, let permission) = self { permission } else { nil }
    }
}
