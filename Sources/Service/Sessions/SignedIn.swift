public import FoundationEssentials
public import Keys
public import People

/// A session that was begun or refreshed, with tokens that no other answer contains.
public struct SignedIn: Sendable {
    /// The user.
    public let user: User
    /// The session.
    public let sessionID: UUID
    /// The organization that the session acts in.
    public let organizationID: UUID
    /// The user's roles in the organization, oldest first.
    public let memberships: [Member]
    /// The credential of the next requests: a JWT.
    public let accessToken: String
    /// The token that is exchanged for the next access token, once.
    public let refreshToken: Token
    /// The lifetime of the access token, in seconds.
    public let expiresIn: Int
    /// The time at which the access token expires.
    public let expiresAt: Timestamp
    /// The principal of the session.
    public let principal: Principal
}

/// A member's own view of the session, the user and the roles.
public struct Me: Sendable {
    /// The user.
    public let user: User
    /// The session.
    public let sessionID: UUID
    /// The organization that the session acts in.
    public let organizationID: UUID
    /// The user's roles in the organization, oldest first.
    public let memberships: [Member]
}
