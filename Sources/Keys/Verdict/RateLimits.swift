/// How often a key may be used: per minute, per hour, both or neither.
public struct RateLimits: Sendable, Hashable {
    /// What a key's earlier uses left: kept by key id outside any cache, so neither a change nor a rotation refills it.
    public struct Usage: Sendable, Hashable {
        fileprivate var minuteArrival: Int64 = 0
        fileprivate var hourArrival: Int64 = 0

        /// No use so far.
        public init() {}

        /// Whether nothing is left to remember at `now`: a new ``Usage`` would decide the same.
        public func isForgettable(at now: Int64) -> Bool { max(minuteArrival, hourArrival) <= now }
    }

    private let minute: GCRA?
    private let hour: GCRA?

    /// Limits per minute and per hour, where `nil` is no limit; `nil` itself where a limit is not 1 to 2^31 - 1.
    public init?(perMinute: Int?, perHour: Int?) {
        minute = perMinute.flatMap { GCRA(limit: $0, period: .seconds(60)) }
        hour = perHour.flatMap { GCRA(limit: $0, period: .seconds(3_600)) }
        guard (minute == nil) == (perMinute == nil), (hour == nil) == (perHour == nil) else { return nil }
    }

    private init() { (minute, hour) = (nil, nil) }

    /// No limit.
    public static let unlimited = RateLimits()

    /// Uses per minute, or `nil`.
    public var perMinute: Int? { minute?.limit }

    /// Uses per hour, or `nil`.
    public var perHour: Int? { hour?.limit }

    /// Whether there is no limit at all.
    public var isUnlimited: Bool { minute == nil && hour == nil }

    /// Counts one use at `now`, in nanoseconds of a monotonic clock, if every limit allows it; a refused use counts
    /// nowhere.
    ///
    /// - Returns: What to tell the client, or `nil` where there is no limit.
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
