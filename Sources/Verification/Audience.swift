public import FoundationEssentials

/// The owner whose keys a verification may find.
///
/// A genuine key of another owner looks exactly like a key that does not exist.
public enum Audience: Sendable, Hashable {
    /// Every workspace of an organization.
    case organization(UUID)
    /// One workspace of an organization.
    case workspace(UUID, of: UUID)

    /// The organization, which every audience has.
    var organizationID: UUID {
        switch self {
        case .organization(let id), .workspace(_, of: let id): id
        }
    }

    /// Returns true if the audience contains a workspace of its organization.
    func includes(workspace id: UUID) -> Bool {
        switch self {
        case .organization: true
        case .workspace(let workspace, _): workspace == id
        }
    }
}
