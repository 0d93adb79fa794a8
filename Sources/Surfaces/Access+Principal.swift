package import Endpoints
package import Keys
package import Service

extension Access {
    /// Whoever reaches the organization and has this permission; of an operator `platform:*` is asked instead.
    package static func anybody(_ permission: Permission) -> Access { .any(permission.rawValue) }

    /// Admin keys and members with this permission.
    package static func admin(_ permission: Permission) -> Access { .admin(permission.rawValue) }

    /// The same, and members without it for what is their own.
    package static func owner(_ permission: Permission) -> Access { .owner(permission.rawValue) }

    /// Refuses a credential whose kind or permission an operation does not take.
    package func authorize(_ principal: Principal) throws {
        guard case .restricted(let audience, let name) = self else { return }
        switch (audience, principal.reach) {
        case (.operator, .organization), (.operator, .workspaces):
            throw Problem(.forbidden, detail: "This operation needs an operator key.")
        case (.admin, .platform), (.owner, .platform):
            throw Problem(
                .forbidden,
                detail:
                    "This operation needs an admin key of the organization; operator keys do not reach inside."
            )
        // What they come to is decided where it is known what is whose.
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
