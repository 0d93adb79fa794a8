extension RateLimits {
    /// The result of one use on a node that shares the limits with others.
    package enum SharedUse: Sendable, Hashable {
        /// The use is counted or refused.
        ///
        /// `wantsExchange` is true if the node should report its uses soon.
        case decided(RateLimitVerdict, wantsExchange: Bool)
        /// The limits have uses left as far as this node knows, but it must first receive the reports of the others.
        case undecided
    }

    /// The nanoseconds by which the uses of a key are ahead of each limit: 0 if all uses are available.
    package struct Backlog: Sendable, Hashable {
        /// The backlog of the limit per minute.
        package var minute: Int64
        /// The backlog of the limit per hour.
        package var hour: Int64

        /// Creates a backlog.
        package init(minute: Int64, hour: Int64) {
            self.minute = minute
            self.hour = hour
        }
    }

    /// The report of one node about the uses of a key.
    package struct Report: Sendable, Hashable {
        /// The backlog that the node's own uses since its last report have added.
        package let added: Backlog
        /// The backlog without them, as the node knows it.
        package let known: Backlog
        /// The number of uses that are reported.
        let uses: Int32

        /// Creates a report.
        package init(added: Backlog, known: Backlog) { self.init(added: added, known: known, uses: 0) }

        init(added: Backlog, known: Backlog, uses: Int32) {
            self.added = added
            self.known = known
            self.uses = uses
        }
    }

    /// The life of an allowance: what other nodes do in this time is not known.
    package static let allowanceLife: Int64 = 250_000_000

    /// The share of a limit that each node may use before a report of the others: the limit divided by this and by the number of nodes.
    private static let floorDivisor = 8

    /// Counts one use if every limit and the node's allowance permit it.
    ///
    /// Together, `n` nodes count at most the limit and one allowance of each of the other nodes. A granted allowance is `1 / n` of the
    /// uses that were left at its grant. An allowance without a grant is `1 / 8n` of the limit, and at least 1. Later uses make up for an
    /// excess, because every use is reported.
    ///
    /// - Parameters:
    ///   - usage: The key's earlier use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    ///   - nodes: The number of nodes that share the limits. With one node, the limits are exact.
    /// - Returns: The result, or `nil` if there is no limit.
    package func use(_ usage: inout Usage, at now: Int64, nodes: Int) -> SharedUse? {
        var after = usage
        guard let verdict = use(&after, at: now) else { return nil }
        // The others' uses can only make a limit tighter, so a refusal is final.
        guard verdict.isAllowed else { return .decided(verdict, wantsExchange: false) }
        let pending = Int(pendingUses(usage, at: now))
        if nodes > 1 {
            let allowance = now < usage.allowanceEnd ? Int(usage.allowance) : floor(nodes)
            guard pending < allowance else { return .undecided }
            usage = after
            usage.unreported = Int32(clamping: pending + 1)
            return .decided(verdict, wantsExchange: 2 * (pending + 1) > allowance)
        }
        usage = after
        usage.unreported = Int32(clamping: pending + 1)
        return .decided(verdict, wantsExchange: false)
    }

    /// Takes the report of a node's uses.
    ///
    /// - Parameters:
    ///   - usage: The key's use, in which the uses are reported from now on.
    ///   - now: The time in nanoseconds of a monotonic clock.
    /// - Returns: The report.
    package func report(_ usage: inout Usage, at now: Int64) -> Report {
        let uses = pendingUses(usage, at: now)
        func split(_ limit: GCRA?, _ arrival: Int64) -> (added: Int64, known: Int64) {
            guard let limit else { return (0, 0) }
            let backlog = GCRA.backlog(arrival, at: now)
            let added = min(backlog, Int64(uses) * limit.interval)
            return (added, backlog - added)
        }
        let (minute, hour) = (split(self.minute, usage.minuteArrival), split(self.hour, usage.hourArrival))
        usage.unreported = 0
        usage.allowance -= min(usage.allowance, uses)
        return Report(
            added: Backlog(minute: minute.added, hour: hour.added),
            known: Backlog(minute: minute.known, hour: hour.known),
            uses: uses
        )
    }

    /// Applies the backlog of all nodes, which includes the last report.
    ///
    /// - Parameters:
    ///   - backlog: The backlog of all nodes.
    ///   - usage: The key's use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    ///   - nodes: The number of nodes that share the limits.
    package func apply(_ backlog: Backlog, to usage: inout Usage, at now: Int64, nodes: Int) {
        let uses = Int64(usage.unreported)
        var left = Int64(Int32.max)
        func arrival(_ limit: GCRA?, _ backlog: Int64) -> Int64 {
            guard let limit else { return 0 }
            left = min(left, max(0, limit.tolerance - backlog) / limit.interval)
            return now + backlog + uses * limit.interval
        }
        usage.minuteArrival = arrival(minute, backlog.minute)
        usage.hourArrival = arrival(hour, backlog.hour)
        usage.allowance = left == 0 ? 0 : Int32(clamping: max(1, left / Int64(nodes)))
        usage.allowanceEnd = now + Self.allowanceLife
    }

    /// Reduces a backlog that the nodes cannot have brought about.
    ///
    /// The backlog in the cluster database is a time ahead of the server's clock, which can be set back. Nobody knows the uses then, so
    /// each limit with such a backlog counts as used up, and not for longer. Otherwise its uses would be refused for as long as the clock
    /// was set back.
    ///
    /// - Parameters:
    ///   - backlog: The backlog of all nodes, which is updated.
    ///   - nodes: The number of nodes that share the limits.
    /// - Returns: The report that takes the excess from the backlog in the cluster database, or `nil` if there is no excess.
    package func correct(_ backlog: inout Backlog, nodes: Int) -> Report? {
        let difference = Backlog(
            minute: minute?.correct(&backlog.minute, nodes: nodes) ?? 0,
            hour: hour?.correct(&backlog.hour, nodes: nodes) ?? 0
        )
        guard difference != Backlog(minute: 0, hour: 0) else { return nil }
        return Report(added: difference, known: Backlog(minute: 0, hour: 0))
    }

    /// Takes a report back that did not arrive, and lets the node use its share of the limits for a while.
    ///
    /// - Parameters:
    ///   - report: The report.
    ///   - usage: The key's use, which is updated.
    ///   - now: The time in nanoseconds of a monotonic clock.
    ///   - nodes: The number of nodes that share the limits.
    package func takeBack(_ report: Report, to usage: inout Usage, at now: Int64, nodes: Int) {
        usage.unreported = Int32(clamping: Int64(usage.unreported) + Int64(report.uses))
        usage.allowance = Int32(clamping: max(1, tightest / nodes))
        usage.allowanceEnd = now + Self.allowanceLife
    }

    /// Returns a verdict that refuses a use, because the reports of the other nodes could not be read.
    package func refusal(_ usage: Usage, at now: Int64) -> RateLimitVerdict? {
        var usage = usage
        return use(&usage, at: now)?.refused(retryAfter: .nanoseconds(Self.allowanceLife))
    }

    private var tightest: Int { min(minute?.limit ?? .max, hour?.limit ?? .max) }

    /// Returns the uses that a node may count before a report of the others.
    func floor(_ nodes: Int) -> Int { max(1, tightest / (Self.floorDivisor * nodes)) }

    /// Returns the unreported uses that are not replenished yet: the rest need no report.
    func pendingUses(_ usage: Usage, at now: Int64) -> Int32 {
        guard usage.unreported > 0 else { return 0 }
        func uses(_ limit: GCRA?, _ arrival: Int64) -> Int64 {
            guard let limit else { return 0 }
            return (GCRA.backlog(arrival, at: now) + limit.interval - 1) / limit.interval
        }
        let backlog = max(uses(minute, usage.minuteArrival), uses(hour, usage.hourArrival))
        return Int32(clamping: min(Int64(usage.unreported), backlog))
    }
}
