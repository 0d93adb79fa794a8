public import FoundationEssentials
public import KeyStore
public import Keys

/// The result of a verification of one token.
public struct Verdict: Sendable {
    /// The result: valid, or the reason of the refusal.
    public let code: VerdictCode
    /// The key.
    ///
    /// `nil` if the token is not genuine or its key is not in the audience.
    public let key: VerifiedKey?
    /// The state of the key's tightest rate limit.
    ///
    /// `nil` if the key has no limit or was refused before the limit counted.
    public let rateLimit: RateLimitVerdict?

    /// Returns a verdict that says nothing about any key.
    static func withoutKey(_ code: VerdictCode) -> Verdict { Verdict(code: code, key: nil, rateLimit: nil) }
}

/// A genuine key of the audience, with its workspace and organization.
public struct VerifiedKey: Sendable {
    /// The key as it was read.
    public let found: FoundKey
    /// The database's time of the decision.
    public let checkedAt: Timestamp
    /// The id of the key's workspace.
    public let workspaceID: UUID
    /// The id of the key's organization.
    public let organizationID: UUID
}

/// An error that says that the database of a workspace cannot be reached.
///
/// The token may be good or not, so it must neither be accepted nor called unknown.
public struct WorkspaceUnreachable: Error, Sendable, Hashable {
    /// The id of the workspace.
    public let workspaceID: UUID
}
