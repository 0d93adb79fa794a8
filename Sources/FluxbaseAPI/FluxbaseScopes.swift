import Endpoints
import KeyStore
import Keys
import Service
import Surfaces
import Verification

/// The permissions that Fluxbase's scopes give a tenant's key over client keys.
enum FluxbaseScopes {
    /// The scopes of each permission: the current ones, and those of the SDK that called client keys API keys.
    ///
    /// As in Fluxbase, a scope must match exactly. An application's own `read:*` does not cover client keys. Only `*` and `clientkeys:*`
    /// do.
    private static let scopes: [(permission: Permission, scopes: [Scope])] = [
        (.keysRead, ["clientkeys:read", "read:clientkeys", "read:apikeys"].map(Scope.init(freeForm:))),
        (.keysWrite, ["clientkeys:write", "write:clientkeys", "write:apikeys"].map(Scope.init(freeForm:))),
    ]

    /// Returns the permissions of a key with these scopes.
    static func permissions(_ scopes: ScopeSet) -> PermissionSet {
        PermissionSet(self.scopes.filter { granted($0.scopes, by: scopes) }.map(\.permission))
    }

    private static func granted(_ names: [Scope], by scopes: ScopeSet) -> Bool {
        scopes.texts.contains { text in text == "*" || text == "clientkeys:*" || names.contains { $0.text == text } }
    }

    /// Throws if an operation does not accept the kind or the permissions of a credential.
    ///
    /// A tenant's key manages only client keys.
    static func authorize(_ principal: Principal, _ access: Access) throws {
        guard case .workspaceKey(let key) = principal.identity, case .restricted(let audience, let name) = access else {
            return try access.authorize(principal)
        }
        guard key.found.state.kind != .anon else {
            throw Problem(.forbidden, detail: "An anon key is public. This operation needs a secret key.")
        }
        guard audience == .owner, let permission = name.flatMap(Permission.init(rawValue:)) else {
            throw Problem(
                .forbidden,
                detail: "This operation needs an admin key, or the session of a user with the permission."
            )
        }
        guard principal.permissions.contains(permission) else {
            let scope = scopes.first { $0.permission == permission }?.scopes.first
            throw Problem(.forbidden, detail: "The key lacks the scope \(scope?.text ?? permission.rawValue).")
        }
    }
}
