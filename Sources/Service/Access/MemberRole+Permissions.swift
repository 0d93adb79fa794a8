public import Keys
public import People
import Tenancy

extension MemberRole {
    /// What the role may do where it holds; the table is in docs/decisions/0008-roles.md.
    ///
    /// A `member` has none of these, and manages their own client keys all the same.
    public var permissions: PermissionSet {
        switch self {
        case .owner, .admin: .organization
        case .auditor: [.keysRead, .eventsRead]
        case .member: []
        }
    }

    /// What a key needs in order to give this role: all that the role has, and for a `member`, who makes client keys of their own, what
    /// making keys takes.
    var price: PermissionSet { self == .member ? [.keysWrite] : permissions }

    /// Whether who has this role may give another one, or take it away: owners all, admins all but an owner's.
    func mayGrant(_ other: MemberRole) -> Bool {
        switch self {
        case .owner: true
        case .admin: other != .owner
        case .member, .auditor: false
        }
    }
}
