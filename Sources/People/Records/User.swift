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
    /// True if the user has a password.
    public var hasPassword: Bool
    /// The time of the user's creation.
    public var createdAt: Timestamp
    /// The time of the last change.
    public var updatedAt: Timestamp
    /// The time at which the user was disabled; `nil` while the user can sign in.
    public var disabledAt: Timestamp?
    /// The user's subject at an identity provider; `nil` for a user who has not signed in with one.
    public var identity: UserIdentity?
}

/// The subject of a user at an identity provider (OpenID Connect Core section 2).
public struct UserIdentity: Sendable, Hashable {
    /// The issuer, as its ID tokens name it.
    public var issuer: String
    /// The subject, which the issuer gives to nobody else.
    public var subject: String
    /// The time of the first sign-in, which bound the subject to the user.
    public var boundAt: Timestamp

    /// Creates a subject.
    public init(issuer: String, subject: String, boundAt: Timestamp) {
        self.issuer = issuer
        self.subject = subject
        self.boundAt = boundAt
    }
}
