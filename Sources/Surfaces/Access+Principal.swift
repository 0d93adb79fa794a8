package import Endpoints
package import Keys
package import Service

extension Access {
    /// Returns the access of callers that reach the organization and have this permission.
    ///
    /// Operators need `platform:*` instead.
    package static func anybody(_ permission: Permission) -> Access { .any(permission.rawValue) }

    /// Returns the access of admin keys and members with this permission.
    package static func admin(_ permission: Permission) -> Access { .admin(permission.rawValue) }

    /// Returns the access of admin keys and members with this permission, and of members without it to their own resources.
    package static func owner(_ permission: Permission) -> Access { .owner(permission.rawValue) }

    /// Throws if the kind or the permissions of a credential do not allow the operation.
    package func authorize(_ principal: Principal) throws {
        guard case .restricted(let audience, let name) = self else { return }
        switch (audience, principal.reach) {
        case (.operator, .organization), (.operator, .workspaces):
            throw Problem(.forbidden, detail: "This operation needs an operator key.")
        case (.admin, .platform), (.owner, .platform):
            throw Problem(
                .forbidden,
                detail:
                    "This operation needs an admin key of the organization. Operator keys do not reach the resources of an organization."
            )
        // The use case decides, because it knows the owner of the resource.
        case (.owner, _) where principal.ownsClientKeys: return
        default: break
        }
        if let permission = name.flatMap(Permission.init(rawValue:)) {
            try principal.require(permission)
        } else if principal.reach == .platform {
            try principal.require(.platform)
        }
    }
}
