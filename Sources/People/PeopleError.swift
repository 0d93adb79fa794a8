/// A rule about members that the database enforces.
public enum PeopleError: Error, Sendable, Hashable {
    /// The user has a role at that place already.
    case memberExists
    /// A removal of the user from the organization is not finished, and would reach what the user makes in the new role.
    case removalUnfinished
    /// The organization has no such workspace.
    case unknownWorkspace
}
