public import FoundationEssentials
public import Keys
public import People
import Tenancy

/// Where a request comes from, before it is known who sends it.
public struct RequestOrigin: Sendable {
    /// The client's address.
    public let address: IPAddress?
    /// The request, as the logs name it.
    public let requestID: String?

    /// Describes an origin.
    public init(address: IPAddress?, requestID: String?) {
        self.address = address
        self.requestID = requestID
    }
}

/// A session that was begun or refreshed, with tokens that are in no other answer.
public struct SignedIn: Sendable {
    /// Who.
    public let user: User
    /// The session.
    public let sessionID: UUID
    /// The organization that it acts in.
    public let organizationID: UUID
    /// The user's roles there, oldest first.
    public let memberships: [Member]
    /// The credential of the next requests: a JWT.
    public let accessToken: String
    /// What the next access token is had for, once.
    public let refreshToken: Token
    /// How long the access token is good, in seconds.
    public let expiresIn: Int
    /// When the access token ends.
    public let expiresAt: Timestamp
    /// Who asks with that session.
    public let principal: Principal
}

/// What a member may know about themself.
public struct Me: Sendable {
    /// Who.
    public let user: User
    /// The session.
    public let sessionID: UUID
    /// The organization that it acts in.
    public let organizationID: UUID
    /// The user's roles there, oldest first.
    public let memberships: [Member]
}
