public import FoundationEssentials
public import Keys

/// Whose keys a call is about.
///
/// A key of anybody else is not found.
public enum KeyOwner: Sendable, Hashable {
    /// The service keys of the workspace whose database this is.
    case workspace
    /// The admin keys of an organization, in the control database.
    case organization(UUID)
    /// The operator keys, in the control database.
    case platform

    /// The kinds of key that belong to it.
    public var keyKinds: [KeyKind] {
        switch self {
        case .workspace: [.service, .anon]
        case .organization: [.admin]
        case .platform: [.operator]
        }
    }

    var kinds: [String] { self.keyKinds.map(\.rawValue) }

    /// The organization that owns the keys, if one does.
    public var organizationID: UUID? {
        if case .organization(let id) = self { id } else { nil }
    }
}

/// Which keys a list shows; what is `nil` does not filter.
public struct KeyFilter: Sendable {
    /// A part of the name, the description or a prefix, in any case.
    public var query: String?
    /// The status at the time of the query.
    public var status: KeyStatus?
    /// Service or anon.
    public var kind: KeyKind?

    /// Filters by what is given.
    public init(query: String? = nil, status: KeyStatus? = nil, kind: KeyKind? = nil) {
        self.query = query
        self.status = status
        self.kind = kind
    }
}

/// The place after one key in a list, newest first: stable under inserts, because creation times do not change.
public struct KeyCursor: Sendable, Hashable {
    /// The key's creation.
    public let createdAt: Timestamp
    /// The key, which settles equal times.
    public let id: UUID

    /// The place after a key.
    public init(createdAt: Timestamp, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }
}
