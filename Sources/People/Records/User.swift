public import FoundationEssentials
public import Keys

/// A person who signs in.
public struct User: Sendable, Hashable {
    /// Their id, version 7.
    public var id: UUID
    /// Their address, in lower case; unique in the installation.
    public var email: String
    /// What people call them.
    public var name: String?
    /// Whether they have a password and so can sign in.
    public var hasPassword: Bool
    /// When they were made.
    public var createdAt: Timestamp
    /// When they were last changed.
    public var updatedAt: Timestamp
    /// When they were shut out.
    public var disabledAt: Timestamp?
}

/// A role that a user has in an organization, or in one of its workspaces.
public struct Member: Sendable, Hashable {
    /// The id of the membership, version 7.
    public var id: UUID
    /// Who.
    public var user: User
    /// The organization.
    public var organizationID: UUID
    /// The workspace, or `nil` for the whole organization.
    public var workspaceID: UUID?
    /// What they may do there.
    public var role: MemberRole
    /// When they became a member.
    public var createdAt: Timestamp
    /// When their role was last changed.
    public var updatedAt: Timestamp
}

/// Which members a list shows; what is `nil` does not filter.
public struct MemberFilter: Sendable, Hashable {
    /// Of one workspace only.
    public var workspaceID: UUID?
    /// With one role.
    public var role: MemberRole?
    /// With this in the address or the name, whatever the case.
    public var query: String?
    /// One user.
    public var userID: UUID?
    /// Of these workspaces only.
    package var workspaceIDs: [UUID]?

    /// Filters by what is given.
    public init(workspaceID: UUID? = nil, role: MemberRole? = nil, query: String? = nil, userID: UUID? = nil) {
        self.workspaceID = workspaceID
        self.role = role
        self.query = query
        self.userID = userID
    }
}
