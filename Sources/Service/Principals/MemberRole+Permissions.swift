public import Keys
public import People

extension MemberRole {
    /// The permissions of the role where it holds.
    ///
    /// The table is in docs/decisions/0008-roles.md.
    ///
    /// A `member` has no permission and still manages the user's own client keys.
    public var permissions: PermissionSet {
        switch self {
        case .owner, .admin: .organization
        case .auditor: [.keysRead, .eventsRead]
        case .member: []
        }
    }

    /// The permissions that a key needs to give this role: all that the role has, and for a `member`, who creates
    /// client keys, the permission to create keys.
    var permissionsToGrant: PermissionSet { self == .member ? [.keysWrite] : permissions }

    /// Returns true if a member with this role can give another role or remove it: owners any role, admins any role but
    /// an owner's.
    package func canGrant(_ other: MemberRole) -> Bool {
        switch self {
        case .owner: true
        case .admin: other != .owner
        case .member, .auditor: false
        }
    }
}

extension MemberRole {
    /// The roles, the strongest first.
    static let byStrength: [MemberRole] = [.owner, .admin, .auditor, .member]
}
