public import FoundationEssentials
public import Keys

/// A user's role in an organization, or in one of its workspaces.
public struct Member: Sendable, Hashable {
    /// The membership's id, version 7.
    public var id: UUID
    /// The user.
    public var user: User
    /// The organization.
    public var organizationID: UUID
    /// The workspace, or `nil` for the whole organization.
    public var workspaceID: UUID?
    /// The role.
    public var role: MemberRole
    /// The time at which the user got the role.
    public var createdAt: Timestamp
    /// The time of the role's last change.
    public var updatedAt: Timestamp
}

/// A filter of members.
///
/// A member that is `nil` does not filter.
public struct MemberFilter: Sendable, Hashable {
    /// The workspace.
    public var workspaceID: UUID?
    /// The role.
    public var role: MemberRole?
    /// A part of the address or the name, in any case.
    public var query: String?
    /// The workspaces that the caller can see.
    package var workspaceIDs: [UUID]?

    /// Creates a filter.
    public init(workspaceID: UUID? = nil, role: MemberRole? = nil, query: String? = nil) {
        self.workspaceID = workspaceID
        self.role = role
        self.query = query
    }
}
