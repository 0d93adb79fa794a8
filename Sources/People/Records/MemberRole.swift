/// A member's role in an organization or in one of its workspaces.
///
/// The raw value is the one of the API and the database.
public enum MemberRole: String, Sendable, Hashable, CaseIterable {
    /// Does everything, and decides who else is an owner.
    case owner
    /// Does everything except creating, changing or removing owners.
    case admin
    /// Manages the user's own client keys.
    case member
    /// Reads keys and events.
    case auditor
}
