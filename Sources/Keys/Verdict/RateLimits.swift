/// The rate limits of a key: per minute, per hour, both or neither.
public struct RateLimits: Sendable, Hashable {
    /// The use that a key has made of its limits.
    ///
    /// It is kept by key id and outside of any cache, so neither a change of the key nor a rotation refills a limit.
    public struct Usage: Sendable, Hashable {
        var minuteArrival: Int64 = 0
        var hourArrival: Int64 = 0
        /// The uses that were not reported to the other nodes.
        var unreported: Int32 = 0
        /// The uses that the node may count before the next report of the others.
        var allowance: Int32 = 0
        /// The end of the allowance.
        var allowanceEnd: Int64 = 0

        /// Creates the usage of a key that has not been used.
        public init() {}

        /// The time from which the usage equals a new ``Usage``, in nanoseconds of the clock that counted it.
        var replenishedAt: Int64 { max(minuteArrival, hourArrival) }

        /// Returns true if all uses are available again, so that a new ``Usage`` would decide the same.
        public func isReplenished(at now: Int64) -> Bool { replenishedAt <= now }
    }

    let minute: GCRA?
    let hour: GCRA?

    /// Creates limits per minute and per hour.
    ///
    /// `nil` means no limit.
    ///
    /// Returns `nil` unless each limit is from 1 to 2^31 - 1.
    public init?(perMinute: Int?, perHour: Int?) {
        minute = perMinute.flatMap(GCRA.perMinute)
        hour = perHour.flatMap(GCRA.perHour)
        guard (minute == nil) == (perMinute == nil), (hour == nil) == (perHour == nil) else { return nil }
    }

    private init() { (minute, hour) = (nil, nil) }

    /// No limit.
    public static let unlimited = RateLimits()

    /// The number of uses per minute.
    ///
    /// `nil` means no limit.
    public var perMinute: Int? { minute?.limit }

    /// The number of uses per hour.
    ///
    /// `nil` means no limit.
    public var perHour: Int? { hour?.limit }

    /// True if there is no limit at all.
    public var isUnlimited: Bool { minute == nil && hour == nil }

    /// Counts one use if every limit allows it, on a node that is alone.
    ///
    /// A refused use counts nowhere.
    ///
    /// - Parameters:
    ///   - usage: The key's earlier use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    /// - Returns: The state of the tightest limit, or `nil` if there is no limit.
    public func use(_ usage: inout Usage, at now: Int64) -> RateLimitVerdict? {
        let byMinute = minute?.decide(arrival: usage.minuteArrival, now: now)
        let byHour = hour?.decide(arrival: usage.hourArrival, now: now)
        if byMinute?.isAllowed ?? true, byHour?.isAllowed ?? true {
            if let byMinute { usage.minuteArrival = byMinute.newArrival }
            if let byHour { usage.hourArrival = byHour.newArrival }
        }
        let minuteVerdict = minute.flatMap { limit in byMinute.map { RateLimitVerdict($0, of: limit) } }
        let hourVerdict = hour.flatMap { limit in byHour.map { RateLimitVerdict($0, of: limit) } }
        guard let minuteVerdict, let hourVerdict else { return minuteVerdict ?? hourVerdict }
        return minuteVerdict.isTighter(than: hourVerdict) ? minuteVerdict : hourVerdict
    }
}
