/// What a member may do, in a whole organization or in one of its workspaces; the raw value is what the API and the database use.
public enum MemberRole: String, Sendable, Hashable, CaseIterable {
    /// Everything, and say who else is an owner.
    case owner
    /// Everything but to make, change or remove owners.
    case admin
    /// Their own client keys.
    case member
    /// See keys and events.
    case auditor
}
