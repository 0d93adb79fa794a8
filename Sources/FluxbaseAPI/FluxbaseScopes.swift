import Endpoints
import KeyStore
import Keys
import Service
import Surfaces
import Verification

/// What scopes of Fluxbase's let a key of a tenant do with client keys.
enum FluxbaseScopes {
    /// Each permission's scopes: today's, and those of the SDK that called them API keys.
    ///
    /// They count to the letter, as in Fluxbase: an application's own `read:*` says nothing about client keys. Only `*` and `clientkeys:*`
    /// have them as well.
    private static let scopes: [(permission: Permission, scopes: [Scope])] = [
        (.keysRead, ["clientkeys:read", "read:clientkeys", "read:apikeys"].map(Scope.init(freeForm:))),
        (.keysWrite, ["clientkeys:write", "write:clientkeys", "write:apikeys"].map(Scope.init(freeForm:))),
    ]

    /// What a key with these scopes may do.
    static func permissions(_ scopes: ScopeSet) -> PermissionSet {
        PermissionSet(self.scopes.filter { granted($0.scopes, by: scopes) }.map(\.permission))
    }

    private static func granted(_ names: [Scope], by scopes: ScopeSet) -> Bool {
        scopes.texts.contains { text in text == "*" || text == "clientkeys:*" || names.contains { $0.text == text } }
    }

    /// Refuses a credential whose kind or permission an operation does not take; a key of a tenant manages client keys and nothing else.
    static func authorize(_ principal: Principal, _ access: Access) throws {
        guard case .workspaceKey(let key) = principal.identity, case .restricted(let audience, let name) = access else {
            return try access.authorize(principal)
        }
        guard key.found.state.kind != .anon else {
            throw Problem(.forbidden, detail: "An anon key is known to everybody; this needs one that is secret.")
        }
        guard audience == .owner, let permission = name.flatMap(Permission.init(rawValue:)) else {
            throw Problem(.forbidden, detail: "This needs an admin key, or the session of a user who may do it.")
        }
        guard principal.permissions.contains(permission) else {
            let scope = scopes.first { $0.permission == permission }?.scopes.first
            throw Problem(.forbidden, detail: "The key lacks the scope \(scope?.text ?? permission.rawValue).")
        }
    }
}
