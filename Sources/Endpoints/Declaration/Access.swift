/// The callers that an operation permits.
package enum Access: Sendable, Equatable {
    /// All callers. No credential is read.
    case open
    /// Callers whose credential belongs to the audience and has the permission, if one is named.
    case restricted(to: Audience, permission: String?)

    /// A group of credentials.
    package enum Audience: String, Sendable {
        /// Operator keys.
        case `operator`
        /// Admin keys and members.
        case admin
        /// Admin keys and members. A member without the permission reaches its own resources.
        case owner
        /// All credentials.
        case any
    }

    /// Returns the access of operator keys with this permission.
    package static func `operator`(_ permission: String? = nil) -> Access {
        .restricted(to: .operator, permission: permission)
    }

    /// Returns the access of admin keys and members with this permission.
    package static func admin(_ permission: String? = nil) -> Access { .restricted(to: .admin, permission: permission) }

    /// Returns the access of admin keys and members with this permission, and of members without it to their own resources.
    package static func owner(_ permission: String) -> Access { .restricted(to: .owner, permission: permission) }

    /// Returns the access of all credentials with this permission.
    package static func any(_ permission: String? = nil) -> Access { .restricted(to: .any, permission: permission) }

    /// The permission that the caller needs.
    ///
    /// `nil` if none.
    package var permission: String? {
        if case .restricted(_, let permission) = self { permission } else { nil }
    }
}
