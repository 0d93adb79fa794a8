public import FoundationEssentials

/// Whose keys a verification may be about.
///
/// A genuine key of anybody else looks exactly like no key.
public enum Audience: Sendable, Hashable {
    /// Every workspace of one organization.
    case organization(UUID)
    /// One workspace of one organization.
    case workspace(UUID, of: UUID)

    /// The organization, which a workspace always has.
    var organizationID: UUID {
        switch self {
        case .organization(let id), .workspace(_, of: let id): id
        }
    }

    /// Whether a workspace of the organization is meant too.
    func includes(workspace id: UUID) -> Bool {
        switch self {
        case .organization: true
        case .workspace(let workspace, _): workspace == id
        }
    }
}
