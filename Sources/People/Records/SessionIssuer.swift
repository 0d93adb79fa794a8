public import FoundationEssentials
public import Keys

/// Whoever issues sessions for the users of an organization's own application.
public struct SessionIssuer: Sendable, Hashable {
    /// Where its public keys are.
    public enum KeySource: Sendable, Hashable {
        /// At a URL.
        case url(String)
        /// In a file, on every node.
        case file(String)
        /// Here, as the text of a JSON Web Key Set (RFC 7517).
        case inline(String)
    }

    /// Its id, version 7.
    public var id: UUID
    /// What its tokens say in `iss`, to the letter.
    public var issuer: String
    /// Whose users these are.
    public var organizationID: UUID
    /// Where its public keys are.
    public var keys: KeySource
    /// The signature algorithms that are accepted.
    public var algorithms: [String]
    /// What `azp` may be; empty where it is not looked at.
    public var authorizedParties: [String]
    /// The roles in the application's own organizations that may see their keys.
    public var readRoles: [String]
    /// The roles that may also make and revoke them.
    public var manageRoles: [String]
    /// When it was added.
    public var createdAt: Timestamp
}

/// What a session issuer is made from.
public struct NewSessionIssuer: Sendable, Hashable {
    /// The claim `iss`.
    public var issuer: String
    /// Where its public keys are.
    public var keys: SessionIssuer.KeySource
    /// The accepted algorithms; RS256 by default.
    public var algorithms: [String]
    /// What `azp` may be; empty where it is not looked at.
    public var authorizedParties: [String]
    /// The roles that may see; none by default.
    public var readRoles: [String]
    /// The roles that may manage; `admin` by default.
    public var manageRoles: [String]

    /// Describes an issuer.
    public init(
        issuer: String,
        keys: SessionIssuer.KeySource,
        algorithms: [String] = ["RS256"],
        authorizedParties: [String] = [],
        readRoles: [String] = [],
        manageRoles: [String] = ["admin"]
    ) {
        self.issuer = issuer
        self.keys = keys
        self.algorithms = algorithms
        self.authorizedParties = authorizedParties
        self.readRoles = readRoles
        self.manageRoles = manageRoles
    }
}
