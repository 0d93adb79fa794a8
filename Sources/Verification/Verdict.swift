public import FoundationEssentials
public import KeyStore
public import Keys

/// The outcome of verifying one token.
public struct Verdict: Sendable {
    /// Valid, or the reason why not.
    public let code: VerdictCode
    /// The key, unless the token is not genuine or not this audience's.
    public let key: VerifiedKey?
    /// How the tightest limit stands, if the key has one and was not refused before it counted.
    public let rateLimit: RateLimitVerdict?

    /// A verdict that says nothing about any key.
    static func unknown(_ code: VerdictCode) -> Verdict { Verdict(code: code, key: nil, rateLimit: nil) }
}

/// A genuine key of the audience, with where it belongs.
public struct VerifiedKey: Sendable {
    /// The key as it was read.
    public let found: FoundKey
    /// Its workspace.
    public let workspaceID: UUID
    /// Its organization.
    public let organizationID: UUID
}

/// A workspace's database cannot be asked.
///
/// The token may be good or not: nobody may be let in or told "not found".
public struct WorkspaceUnreachable: Error, Sendable, Hashable {
    /// The workspace.
    public let workspaceID: UUID
}
