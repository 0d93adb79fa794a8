public import FoundationEssentials
public import Keys

/// A member's session, with the user's roles at the time of the read.
public struct SessionRecord: Sendable {
    /// The session's id, version 7.
    public var id: UUID
    /// The organization that the session acts in.
    public var organizationID: UUID
    /// The user.
    public var user: User
    /// The time at which the session began.
    public var createdAt: Timestamp
    /// The time at which the session ends unless it is refreshed.
    public var refreshUntil: Timestamp
    /// The time at which the session ends in any case.
    public var expiresAt: Timestamp
    /// The time at which somebody ended the session.
    public var endedAt: Timestamp?
    /// The user's roles in the organization, oldest first.
    public var memberships: [Member]
    /// The database's time of the read.
    public var readAt: Timestamp

    /// True if the session was good at the time of the read.
    public var isAlive: Bool {
        endedAt == nil && user.disabledAt == nil && refreshUntil > readAt
            && expiresAt > readAt
            && !memberships.isEmpty
    }
}

/// A refresh token as the database holds it, without the token.
public struct RefreshTokenRecord: Sendable {
    /// The refresh token's id.
    public let id: UUID
    /// The session.
    public let sessionID: UUID
    /// The time at which the token was exchanged; `nil` for a token that is still good.
    public let usedAt: Timestamp?
}

/// The reason for which a session was ended, as the database writes it.
public enum SessionEnd: String, Sendable {
    /// The user signed out.
    case signedOut = "signed_out"
    /// A refresh token came a second time, so somebody has a copy.
    case reused
    /// The user's password was changed.
    case passwordChanged = "password_changed"
    /// The user's last role in the session's organization was removed.
    case removed
    /// An owner took the user's subject at the identity provider from the user.
    case unbound
}
