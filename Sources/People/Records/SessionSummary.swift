public import FoundationEssentials
public import Keys

/// A session that has not ended, as a person sees it in a list.
public struct SessionSummary: Sendable, Hashable {
    /// The session's id.
    public let id: UUID
    /// The organization that the session acts in.
    public let organizationID: UUID
    /// The time at which the session began.
    public let createdAt: Timestamp
    /// The time at which the session ends unless it is refreshed.
    public let refreshUntil: Timestamp
    /// The time at which the session ends in any case.
    public let expiresAt: Timestamp
    /// The address that the user signed in from; `nil` if it is unknown.
    public let address: String?
}

/// Some of a user's sessions.
public enum SessionSelection: Sendable, Hashable {
    case one(UUID)
    /// All sessions but one.
    case allExcept(UUID)
    /// The sessions that act in an organization.
    case allIn(UUID)
}
