/// The state of the tightest rate limit of a key after a use, for the client.
public struct RateLimitVerdict: Sendable, Hashable {
    /// True if the use is within all limits of the key.
    public let isAllowed: Bool
    /// The number of uses in each period.
    public let limit: Int
    /// The time in which all uses become available again.
    public let period: Duration
    /// The number of further uses that are allowed at once.
    public let remaining: Int
    /// The time until the whole limit is available again.
    public let resetAfter: Duration
    /// The time until the next use can be allowed.
    ///
    /// Zero if this use is allowed.
    public let retryAfter: Duration

    init(_ decision: GCRA.Decision, of limit: GCRA) {
        isAllowed = decision.isAllowed
        self.limit = limit.limit
        period = limit.period
        remaining = decision.remaining
        resetAfter = decision.resetAfter
        retryAfter = decision.retryAfter
    }

    private init(refusing verdict: RateLimitVerdict, retryAfter: Duration) {
        isAllowed = false
        limit = verdict.limit
        period = verdict.period
        remaining = 0
        resetAfter = verdict.resetAfter
        self.retryAfter = max(retryAfter, verdict.retryAfter)
    }

    /// Returns the verdict as a refusal.
    func refused(retryAfter: Duration) -> RateLimitVerdict { RateLimitVerdict(refusing: self, retryAfter: retryAfter) }

    /// Returns true if this limit is tighter: it refuses, its wait is longer, or it has fewer uses left.
    func isTighter(than other: RateLimitVerdict) -> Bool {
        if isAllowed != other.isAllowed { return !isAllowed }
        return isAllowed ? remaining < other.remaining : retryAfter >= other.retryAfter
    }
}
