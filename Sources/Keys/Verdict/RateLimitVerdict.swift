/// What a client is told about the tightest of its limits.
public struct RateLimitVerdict: Sendable, Hashable {
    /// Whether the use is within all limits.
    public let isAllowed: Bool
    /// How many uses this limit has in all.
    public let limit: Int
    /// The time in which they come back.
    public let period: Duration
    /// How many more uses could come at once.
    public let remaining: Int
    /// How long until the whole limit is there again.
    public let resetAfter: Duration
    /// How long until the next use can be allowed; zero where this one is.
    public let retryAfter: Duration

    init(_ decision: GCRA.Decision, of limit: GCRA) {
        isAllowed = decision.isAllowed
        self.limit = limit.limit
        period = limit.period
        remaining = decision.remaining
        resetAfter = decision.resetAfter
        retryAfter = decision.retryAfter
    }

    /// A refusal is tighter than none, a longer wait than a shorter, and fewer uses left than more.
    func isTighter(than other: RateLimitVerdict) -> Bool {
        if isAllowed != other.isAllowed { return !isAllowed }
        return isAllowed ? remaining < other.remaining : retryAfter >= other.retryAfter
    }
}
