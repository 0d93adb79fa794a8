public import FoundationEssentials
public import Keys

/// An issuer of sessions for the users of an organization's own application.
public struct SessionIssuer: Sendable, Hashable {
    /// The location of an issuer's public keys.
    public enum KeySource: Sendable, Hashable {
        /// A URL.
        case url(String)
        /// A file, on every node.
        case file(String)
        /// The text of a JSON Web Key Set (RFC 7517).
        case inline(String)
    }

    /// The issuer's id, version 7.
    public var id: UUID
    /// The exact value of `iss` in the issuer's tokens.
    public var issuer: String
    /// The organization whose application it is.
    public var organizationID: UUID
    /// The location of the public keys.
    public var keys: KeySource
    /// The accepted signature algorithms.
    public var algorithms: [String]
    /// The accepted values of `azp`; empty to accept any.
    public var authorizedParties: [String]
    /// The accepted values of `aud`; empty to accept only tokens without the claim.
    public var audiences: [String]
    /// The roles in the application's own organizations that can read the organizations' keys.
    public var readRoles: [String]
    /// The roles that can also create and revoke those keys.
    public var manageRoles: [String]
    /// The time at which the issuer was added.
    public var createdAt: Timestamp
}

/// A session issuer at the time of a read.
public struct FoundSessionIssuer: Sendable, Hashable {
    /// The issuer.
    public let issuer: SessionIssuer
    /// The database's time.
    public let readAt: Timestamp
}

/// The settings of a session issuer to be added.
public struct NewSessionIssuer: Sendable, Hashable {
    /// The value of `iss`.
    public var issuer: String
    /// The location of the public keys.
    public var keys: SessionIssuer.KeySource
    /// The accepted signature algorithms; RS256 by default.
    public var algorithms: [String]
    /// The accepted values of `azp`; empty to accept any.
    public var authorizedParties: [String]
    /// The accepted values of `aud`; empty to accept only tokens without the claim.
    public var audiences: [String]
    /// The roles that can read; none by default.
    public var readRoles: [String]
    /// The roles that can manage; `admin` by default.
    public var manageRoles: [String]

    /// Creates settings.
    public init(
        issuer: String,
        keys: SessionIssuer.KeySource,
        algorithms: [String] = ["RS256"],
        authorizedParties: [String] = [],
        audiences: [String] = [],
        readRoles: [String] = [],
        manageRoles: [String] = ["admin"]
    ) {
        self.issuer = issuer
        self.keys = keys
        self.algorithms = algorithms
        self.authorizedParties = authorizedParties
        self.audiences = audiences
        self.readRoles = readRoles
        self.manageRoles = manageRoles
    }
}
