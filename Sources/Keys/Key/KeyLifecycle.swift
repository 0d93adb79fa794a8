/// What has happened to a key, and when its time ends.
public struct KeyLifecycle: Sendable, Hashable {
    /// When it was revoked.
    ///
    /// Its presence alone counts, so no clock can bring a revoked key back.
    public var revokedAt: Timestamp?
    /// The end its owner set.
    public var expiresAt: Timestamp?
    /// When it was deprecated.
    public var deprecatedAt: Timestamp?
    /// The end of its grace period.
    public var graceEndsAt: Timestamp?
    /// Whether it was ended at once, by a grace period of 0: a change of state and no instant to race with.
    public var isEnded: Bool
    /// Whether it is switched off.
    public var isDisabled: Bool

    /// A life with these marks; none of them by default.
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

    /// The earlier of the end its owner set and the end of its grace period.
    public var endsAt: Timestamp? { earlier(expiresAt, graceEndsAt) }

    /// Whether its time is over; an instant equal to the end is past it.
    public func hasEnded(at now: Timestamp) -> Bool {
        isEnded || endsAt.map { $0 <= now } ?? false
    }

    /// The status at `now`: the first that applies of revoked, expired, disabled, deprecated, active.
    public func status(at now: Timestamp) -> KeyStatus {
        if revokedAt != nil { return .revoked }
        if hasEnded(at: now) { return .expired }
        if isDisabled { return .disabled }
        if deprecatedAt != nil { return .deprecated }
        return .active
    }
}

/// The earlier of two ends, where no end is later than any.
func earlier(_ first: Timestamp?, _ second: Timestamp?) -> Timestamp? {
    guard let first, let second else { return first ?? second }
    return min(first, second)
}
