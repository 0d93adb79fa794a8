/// A rate limit by the generic cell rate algorithm (ITU-T I.371): `limit` uses at once, then one for each `period /
/// limit`.
///
/// Its whole memory is one number, the theoretical arrival time. Times are nanoseconds of a monotonic clock.
public struct GCRA: Sendable, Hashable {
    /// How many uses may come at once after a pause.
    public let limit: Int
    /// The time in which all of them come back.
    public let period: Duration

    /// The time that one use costs, rounded up, so that no rate is ever above the limit.
    private let interval: Int64
    /// How far the theoretical arrival time may run ahead of the clock.
    private let tolerance: Int64

    /// A limit of `limit` uses in each `period`, or `nil` unless the limit is 1 to 2^31 - 1 and the period 1 µs to 1
    /// day.
    public init?(limit: Int, period: Duration) {
        guard (1...Int(Int32.max)).contains(limit), (.microseconds(1)...Duration.seconds(86_400)).contains(period)
        else {
            return nil
        }
        let nanoseconds = period.wholeNanoseconds
        let limit64 = Int64(limit)
        self.limit = limit
        self.period = period
        interval = (nanoseconds + limit64 - 1) / limit64
        tolerance = interval * limit64
    }

    /// What one use at `now` would mean, given the theoretical arrival time that earlier uses left, 0 where there were
    /// none.
    public func decide(arrival: Int64, now: Int64) -> Decision {
        let next = max(arrival, now) + interval
        let ahead = next - now
        if ahead <= tolerance {
            return Decision(
                isAllowed: true,
                newArrival: next,
                remaining: Int((tolerance - ahead) / interval),
                resetAfter: .nanoseconds(ahead),
                retryAfter: .zero
            )
        }
        return Decision(
            isAllowed: false,
            newArrival: arrival,
            remaining: 0,
            resetAfter: .nanoseconds(ahead - interval),
            retryAfter: .nanoseconds(ahead - tolerance)
        )
    }

    /// The outcome of one use.
    public struct Decision: Sendable, Hashable {
        /// Whether the use is within the limit.
        public let isAllowed: Bool
        /// The theoretical arrival time to remember; the same as before where the use was refused.
        public let newArrival: Int64
        /// How many more uses could come at once.
        public let remaining: Int
        /// How long until the whole limit is there again.
        public let resetAfter: Duration
        /// How long until the next use can be allowed; zero where this one is.
        public let retryAfter: Duration
    }
}
