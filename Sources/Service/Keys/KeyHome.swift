public import FoundationEssentials
import KeyStore
public import Keys
import Postgres
public import Tenancy

/// Where a set of keys lives, and whose it is: a workspace's database, or the control database for admin and operator keys.
///
/// Made by `Access`, which has checked that the caller may come here, so whoever holds one need not ask again.
public struct KeyHome: Sendable {
    /// Whose keys.
    enum Owner: Sendable {
        case workspace(Workspace, tokenPrefix: TokenPrefix?)
        /// The client keys of a workspace: of one subject, or of all.
        case clients(Workspace, subject: String?, tokenPrefix: TokenPrefix?)
        case organization(UUID)
        case platform
    }

    let owner: Owner

    /// Which keys of the database are meant.
    var keyOwner: KeyOwner {
        switch owner {
        case .workspace: .workspace
        case .clients(_, let subject, _): .clients(subject: subject)
        case .organization(let id): .organization(id)
        case .platform: .platform
        }
    }

    /// What the tokens name.
    public var ref: WorkspaceRef { workspace?.ref ?? .root }

    /// The workspace of these keys; `nil` in the control database.
    public var workspace: Workspace? {
        switch owner {
        case .workspace(let workspace, _), .clients(let workspace, _, _): workspace
        case .organization, .platform: nil
        }
    }

    /// The id of the workspace of these keys; `nil` in the control database.
    public var workspaceID: UUID? { workspace?.id }

    /// The organization of admin keys; `nil` for other keys, whose events need no owner beside their database.
    public var organizationID: UUID? {
        if case .organization(let id) = owner { id } else { nil }
    }

    /// The only subject whose keys these are, if they are one subject's.
    public var subject: String? {
        if case .clients(_, let subject, _) = owner { subject } else { nil }
    }

    /// Whether two keys here may have the same name, where nobody says.
    var uniqueness: NameUniqueness {
        if case .clients = owner { .none } else { .unique }
    }

    /// What tokens of a kind begin with here.
    func tokenPrefix(_ kind: KeyKind) -> TokenPrefix {
        switch owner {
        case .workspace(_, let prefix?), .clients(_, _, let prefix?): prefix
        case .workspace, .clients, .organization, .platform: kind.defaultPrefix
        }
    }
}
