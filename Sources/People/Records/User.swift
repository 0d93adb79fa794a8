public import FoundationEssentials
public import Keys

/// A person who signs in.
public struct User: Sendable, Hashable {
    /// The user's id, version 7.
    public var id: UUID
    /// The user's address, in lower case; unique in the installation.
    public var email: String
    /// The user's name.
    public var name: String?
    /// A Boolean value that indicates whether the user has a password and so can sign in.
    public var hasPassword: Bool
    /// The time of the user's creation.
    public var createdAt: Timestamp
    /// The time of the last change.
    public var updatedAt: Timestamp
    /// The time at which the user was disabled; `nil` while the user can sign in.
    public var disabledAt: Timestamp?
}
