/// A rule about members that the database enforces.
public enum PeopleError: Error, Sendable, Hashable {
    /// The user has a role at that place already.
    case memberExists
    /// The organization has no such workspace.
    case unknownWorkspace
}
