/// The events and ends in the life of a key, from which its status follows.
public struct KeyLifecycle: Sendable, Hashable {
    /// The time of the revocation.
    ///
    /// A key with this time is revoked, whatever the clock says, so no clock can bring a revoked key back.
    public var revokedAt: Timestamp?
    /// The expiry that the key's owner set.
    public var expiresAt: Timestamp?
    /// The time of the deprecation.
    public var deprecatedAt: Timestamp?
    /// The end of the deprecated key's grace period.
    public var graceEndsAt: Timestamp?
    /// True if a grace period of 0 ended the key.
    ///
    /// This is a change of state, with no instant to race with.
    public var isEnded: Bool
    /// True if the key is disabled.
    public var isDisabled: Bool

    /// Creates a lifecycle.
    ///
    /// By default nothing has happened to the key and it has no end.
    public init(
        revokedAt: Timestamp? = nil,
        expiresAt: Timestamp? = nil,
        deprecatedAt: Timestamp? = nil,
        graceEndsAt: Timestamp? = nil,
        isEnded: Bool = false,
        isDisabled: Bool = false
    ) {
        self.revokedAt = revokedAt
        self.expiresAt = expiresAt
        self.deprecatedAt = deprecatedAt
        self.graceEndsAt = graceEndsAt
        self.isEnded = isEnded
        self.isDisabled = isDisabled
    }

    /// The earlier of the expiry and the end of the grace period.
    public var endsAt: Timestamp? { earlier(expiresAt, graceEndsAt) }

    /// Returns true if the key has reached its end.
    ///
    /// The instant of the end is past the end.
    public func hasEnded(at now: Timestamp) -> Bool {
        isEnded || endsAt.map { $0 <= now } ?? false
    }

    /// Returns the status at `now`: the first that applies of revoked, expired, disabled, deprecated, active.
    public func status(at now: Timestamp) -> KeyStatus {
        if revokedAt != nil { return .revoked }
        if hasEnded(at: now) { return .expired }
        if isDisabled { return .disabled }
        if deprecatedAt != nil { return .deprecated }
        return .active
    }
}

/// Returns the earlier of two ends.
///
/// `nil` is no end, which is later than every end.
func earlier(_ first: Timestamp?, _ second: Timestamp?) -> Timestamp? {
    guard let first, let second else { return first ?? second }
    return min(first, second)
}
