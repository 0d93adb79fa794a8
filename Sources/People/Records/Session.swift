public import FoundationEssentials
public import Keys

/// A member's session, with what its user may do at this moment.
public struct SessionRecord: Sendable {
    /// Its id, version 7.
    public var id: UUID
    /// The organization that it acts in.
    public var organizationID: UUID
    /// Who.
    public var user: User
    /// When it was begun.
    public var createdAt: Timestamp
    /// When it ends unless it is refreshed.
    public var refreshUntil: Timestamp
    /// When it ends however often it is refreshed.
    public var expiresAt: Timestamp
    /// When it was ended.
    public var endedAt: Timestamp?
    /// The user's roles in the organization, oldest first.
    public var memberships: [Member]
    /// The database's time when this was read.
    public var readAt: Timestamp

    /// Whether it is good at the time it was read.
    public var isAlive: Bool {
        endedAt == nil && user.disabledAt == nil && refreshUntil > readAt
            && expiresAt > readAt
            && !memberships.isEmpty
    }
}

/// Why a session was ended, as the database writes it.
public enum SessionEnd: String, Sendable {
    /// Its user signed out.
    case signedOut = "signed_out"
    /// A refresh token came a second time: somebody has a copy.
    case reused
    /// The user's password was changed.
    case passwordChanged = "password_changed"
    /// The user's last role in the session's organization was taken away.
    case removed
}
