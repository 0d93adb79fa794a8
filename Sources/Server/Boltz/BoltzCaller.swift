package import Service
package import Verification

/// Who presents an API key in `x-api-key`.
package enum BoltzCaller: Sendable {
    /// An admin key, which manages its organization; or an operator key, which does nothing here.
    case admin(Principal)
    /// A key of one workspace, which may ask who it is and nothing else.
    case workspaceKey(VerifiedKey)

    /// Whoever manages an organization; a workspace key does not.
    var principal: Principal {
        get throws(Problem) {
            switch self {
            case .admin(let principal): return principal
            case .workspaceKey: throw Self.adminOnly
            }
        }
    }

    /// The refusal of a workspace key.
    static let adminOnly = Problem(
        .forbidden,
        detail: "This operation needs an admin API key; a workspace API key does not manage keys or workspaces."
    )
}
