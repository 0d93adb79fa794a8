extension RateLimits {
    /// The most by which a node takes the backlog of all nodes for larger than it is, in nanoseconds.
    ///
    /// A backlog shrinks with time, and a report and its answer are on their way for some of it. An exchange has a deadline of half a
    /// second. The backlog in the cluster database can be too large by one exchange, and the copy that a node has of it by another.
    package static let exchangeSlack: Int64 = 1_000_000_000

    /// Counts one use unless this node knows that a limit is used up.
    ///
    /// The function is for uses that can neither wait for the other nodes nor be refused too early. It refuses no use that an exact count
    /// over all nodes allows. `n` nodes that have no report of each other count at most `n` times each limit, and what becomes available in
    /// ``exchangeSlack`` on each. Later uses make up for an excess, because every use is reported.
    ///
    /// - Parameters:
    ///   - usage: The earlier use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    ///   - nodes: The number of nodes that share the limits. With one node, the limits are exact.
    /// - Returns: The result, which is never `undecided`, or `nil` if there is no limit.
    package func useNow(_ usage: inout Usage, at now: Int64, nodes: Int) -> SharedUse? {
        guard nodes > 1 else { return use(&usage, at: now, nodes: 1) }
        var least = usage
        least.minuteArrival -= Self.exchangeSlack
        least.hourArrival -= Self.exchangeSlack
        guard let verdict = use(&least, at: now) else { return nil }
        guard verdict.isAllowed else { return .decided(verdict, wantsExchange: false) }
        let pending = Int(pendingUses(usage, at: now)) + 1
        if let minute { usage.minuteArrival = max(usage.minuteArrival, now) + minute.interval }
        if let hour { usage.hourArrival = max(usage.hourArrival, now) + hour.interval }
        usage.unreported = Int32(clamping: pending)
        return .decided(verdict, wantsExchange: 2 * pending > floor(nodes))
    }

    /// Notes the backlog of all nodes, for uses that are counted by ``useNow(_:at:nodes:)``.
    ///
    /// The node keeps what it knows already: a report that was lost is missing in the backlog.
    ///
    /// - Parameters:
    ///   - backlog: The backlog of all nodes, which includes the last report if it arrived.
    ///   - usage: The use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    package func learn(_ backlog: Backlog, in usage: inout Usage, at now: Int64) {
        let uses = Int64(usage.unreported)
        if let minute {
            usage.minuteArrival = max(usage.minuteArrival, now + backlog.minute + uses * minute.interval)
        }
        if let hour { usage.hourArrival = max(usage.hourArrival, now + backlog.hour + uses * hour.interval) }
    }
}
