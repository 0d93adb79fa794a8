public import FoundationEssentials
import KeyStore
public import Keys
public import Tenancy

/// A set of keys that a caller reaches: the service keys of a workspace, its client keys, the admin keys of an
/// organization, or the operator keys.
///
/// ``AccessControl`` creates collections and has checked by then that the caller reaches the keys. A key outside of the
/// collection does not exist for the use cases.
public struct KeyCollection: Sendable {
    /// The owner of the keys.
    enum Owner: Sendable {
        case workspace(Workspace, tokenPrefix: TokenPrefix?)
        /// The client keys of a workspace: of one subject, or of all.
        case clients(Workspace, subject: String?, tokenPrefix: TokenPrefix?)
        case organization(UUID)
        case platform
    }

    let owner: Owner

    /// The operator keys.
    static let platform = KeyCollection(owner: .platform)

    /// The owner in the keys' database.
    var keyOwner: KeyOwner {
        switch owner {
        case .workspace: .workspace
        case .clients(_, let subject, _): .clients(subject: subject)
        case .organization(let id): .organization(id)
        case .platform: .platform
        }
    }

    /// The workspace reference in the keys' tokens.
    public var ref: WorkspaceRef { workspace?.ref ?? .root }

    /// The workspace of the keys; `nil` in the control database.
    public var workspace: Workspace? {
        switch owner {
        case .workspace(let workspace, _), .clients(let workspace, _, _): workspace
        case .organization, .platform: nil
        }
    }

    /// The id of the workspace of the keys; `nil` in the control database.
    public var workspaceID: UUID? { workspace?.id }

    /// The organization of admin keys; `nil` for other keys.
    public var organizationID: UUID? {
        if case .organization(let id) = owner { id } else { nil }
    }

    /// The id of the organization that owns the keys, itself or by its workspace; `nil` for operator keys.
    package var owningOrganizationID: UUID? { workspace?.organizationID ?? organizationID }

    /// The subject whose client keys these are; `nil` if the collection is not confined to a subject.
    public var subject: String? {
        if case .clients(_, let subject, _) = owner { subject } else { nil }
    }

    /// True if these are client keys.
    var isOfClients: Bool {
        if case .clients = owner { true } else { false }
    }

    /// Returns the prefix of tokens of a kind.
    func tokenPrefix(_ kind: KeyKind) -> TokenPrefix {
        switch owner {
        case .workspace(_, let prefix?), .clients(_, _, let prefix?): prefix
        case .workspace, .clients, .organization, .platform: kind.defaultPrefix
        }
    }
}
