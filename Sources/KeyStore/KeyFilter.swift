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
    /// The client keys of the workspace whose database this is: of one subject, or of all.
    case clients(subject: String?)

    /// The kinds of key that belong to it.
    public var keyKinds: [KeyKind] {
        switch self {
        case .workspace: [.service, .anon]
        case .organization: [.admin]
        case .platform: [.operator]
        case .clients: [.client]
        }
    }

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
    /// A part of the name, in any case.
    public var name: String?
    /// Of one subject: no service key has one.
    public var subject: String?
    /// With this label: no service key has one.
    public var type: String?
    /// Whether it is neither revoked nor expired.
    public var isUsable: Bool?

    /// Filters by what is given.
    public init(
        query: String? = nil,
        status: KeyStatus? = nil,
        kind: KeyKind? = nil,
        name: String? = nil,
        subject: String? = nil,
        type: String? = nil,
        isUsable: Bool? = nil
    ) {
        self.query = query
        self.status = status
        self.kind = kind
        self.name = name
        self.subject = subject
        self.type = type
        self.isUsable = isUsable
    }
}

/// The place of one key in a list, newest first: stable under inserts, because creation times do not change.
public struct KeyCursor: Sendable, Hashable {
    /// The key's creation.
    public let createdAt: Timestamp
    /// The key, which settles equal times.
    public let id: UUID

    /// The place of a key.
    public init(createdAt: Timestamp, id: UUID) {
        self.createdAt = createdAt
        self.id = id
    }
}

/// Which part of a list is read.
public enum KeyPlace: Sendable, Hashable {
    /// The newest keys but for the first so many.
    case newest(offset: Int)
    /// The keys that are older than one.
    case after(KeyCursor)
    /// The keys that are newer than one, those nearest to it.
    case before(KeyCursor)
}

extension KeyCursor {
    /// A place before every key: none is made later, and no id is greater.
    static let newest = KeyCursor(
        createdAt: .latest,
        id: UUID(uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))
    )
}
