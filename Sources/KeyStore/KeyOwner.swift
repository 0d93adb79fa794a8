public import FoundationEssentials
public import Keys

/// The owner of the keys that a call is about.
///
/// A key of another owner does not exist for the call.
public enum KeyOwner: Sendable, Hashable {
    /// The workspace whose database this is: its service keys.
    case workspace
    /// An organization: its admin keys, in the control database.
    case organization(UUID)
    /// The platform: the operator keys, in the control database.
    case platform
    /// The subjects of the workspace whose database this is: the client keys of one subject, or of all.
    case clients(subject: String?)

    /// The kinds of the owner's keys.
    public var keyKinds: [KeyKind] {
        switch self {
        case .workspace: [.service, .anon]
        case .organization: [.admin]
        case .platform: [.operator]
        case .clients: [.client]
        }
    }

    /// The organization that owns the keys, or `nil`.
    public var organizationID: UUID? {
        if case .organization(let id) = self { id } else { nil }
    }
}
