public import FoundationEssentials
import KeyStore
import Keys
import Postgres
import Tenancy

/// Where a set of keys lives, and whose it is: a workspace's database, or the control database for admin and operator keys.
///
/// Made by `Access`, which has checked that the caller may come here, so whoever holds one need not ask again.
public struct KeyHome: Sendable {
    /// Whose keys.
    enum Owner: Sendable {
        case workspace(Workspace, tokenPrefix: TokenPrefix?)
        case organization(UUID)
        case platform
    }

    let owner: Owner

    /// Which keys of the database are meant.
    var keyOwner: KeyOwner {
        switch self.owner {
        case .workspace: .workspace
        case .organization(let id): .organization(id)
        case .platform: .platform
        }
    }

    /// What the tokens name.
    var ref: WorkspaceRef {
        if case .workspace(let workspace, _) = self.owner { workspace.ref } else { .root }
    }

    /// The workspace of these keys; `nil` in the control database.
    public var workspaceID: UUID? {
        if case .workspace(let workspace, _) = self.owner { workspace.id } else { nil }
    }

    /// The organization of admin keys; `nil` for other keys, whose events need no owner beside their database.
    public var organizationID: UUID? {
        if case .organization(let id) = self.owner { id } else { nil }
    }

    /// What tokens of a kind begin with here.
    func tokenPrefix(_ kind: KeyKind) -> TokenPrefix {
        if case .workspace(_, let prefix?) = self.owner { prefix } else { kind.defaultPrefix }
    }

    /// Whether keys may be made here now.
    func requireOpen() throws(Refusal) {
        guard case .workspace(let workspace, _) = self.owner, workspace.state != .active else { return }
        throw .conflict("The workspace is \(workspace.state.rawValue); only an active one can get new secrets.")
    }
}
