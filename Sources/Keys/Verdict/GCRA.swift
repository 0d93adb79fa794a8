/// A rate limit by the generic cell rate algorithm (ITU-T I.371).
///
/// A key may be used `limit` times at once, and then once for each `period / limit`. The only state is one number, the
/// theoretical arrival time. Times are nanoseconds of a monotonic clock.
package struct GCRA: Sendable, Hashable {
    /// The number of uses that are allowed at once after a pause.
    package let limit: Int
    /// The time in which all uses become available again.
    package let period: Duration

    /// The nanoseconds that one use costs, rounded up, so that no rate exceeds the limit.
    let interval: Int64
    /// The nanoseconds that the theoretical arrival time may be ahead of the clock.
    let tolerance: Int64

    /// Creates a limit of `limit` uses in each `period`.
    ///
    /// Returns `nil` unless the limit is from 1 to 2^31 - 1 and the period from 1 µs to 1 day.
    package init?(limit: Int, period: Duration) {
        guard (.microseconds(1)...Duration.seconds(86_400)).contains(period) else { return nil }
        self.init(limit: limit, period: period, nanoseconds: period.wholeNanoseconds)
    }

    /// Creates a limit for each minute, or returns `nil` unless it is from 1 to 2^31 - 1.
    static func perMinute(_ limit: Int) -> GCRA? {
        GCRA(limit: limit, period: .seconds(60), nanoseconds: 60_000_000_000)
    }

    /// Creates a limit for each hour, or returns `nil` unless it is from 1 to 2^31 - 1.
    static func perHour(_ limit: Int) -> GCRA? {
        GCRA(limit: limit, period: .seconds(3_600), nanoseconds: 3_600_000_000_000)
    }

    private init?(limit: Int, period: Duration, nanoseconds: Int64) {
        guard (1...Int(Int32.max)).contains(limit) else { return nil }
        let limit64 = Int64(limit)
        self.limit = limit
        self.period = period
        interval = (nanoseconds + limit64 - 1) / limit64
        tolerance = interval * limit64
    }

    /// Decides about one use.
    ///
    /// - Parameters:
    ///   - arrival: The theoretical arrival time after the last use. 0 if there was no use.
    ///   - now: The time of the use.
    /// - Returns: The outcome, with the theoretical arrival time to keep.
    package func decide(arrival: Int64, now: Int64) -> Decision {
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

    /// Returns a limit's backlog: the nanoseconds that the theoretical arrival time is ahead of the clock.
    static func backlog(_ arrival: Int64, at now: Int64) -> Int64 { max(0, arrival - now) }

    /// Reduces a backlog that the nodes cannot have brought about to the whole limit.
    ///
    /// A backlog beyond the limit is an excess, which later uses make up for, so it must not be cut off. Each node that has no report of
    /// the others counts at most the limit, one use more, and what becomes available in ``RateLimits/exchangeSlack``. One node more than
    /// are known may have joined.
    ///
    /// - Parameters:
    ///   - backlog: The backlog of all nodes in nanoseconds, which is updated.
    ///   - nodes: The number of nodes that share the limit.
    /// - Returns: The difference, which is negative, or 0 if the backlog stays.
    package func correct(_ backlog: inout Int64, nodes: Int) -> Int64 {
        let most = (tolerance + interval + RateLimits.exchangeSlack) * Int64(nodes + 1)
        guard backlog > most else { return 0 }
        defer { backlog = tolerance }
        return tolerance - backlog
    }

    /// The outcome of one use.
    package struct Decision: Sendable, Hashable {
        /// True if the use is within the limit.
        package let isAllowed: Bool
        /// The theoretical arrival time to keep.
        ///
        /// A refused use does not change it.
        package let newArrival: Int64
        /// The number of further uses that are allowed at once.
        package let remaining: Int
        /// The time until the whole limit is available again.
        package let resetAfter: Duration
        /// The time until the next use can be allowed.
        ///
        /// Zero if this use is allowed.
        package let retryAfter: Duration
    }
}
