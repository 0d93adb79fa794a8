/// The faults of databases that are under way.
///
/// An unusable database fails every request, and a line for each would be another outage. So each fault is reported once when it begins,
/// and once when it is over. The value has no I/O, and time is passed in.
package struct FaultEpisodes {
    /// The minimum time between two reports of one fault that comes and goes.
    package static let interval = Duration.seconds(10)
    /// The time without a failure after which a success ends a fault.
    ///
    /// Reads succeed between two failures if only one of several connections broke.
    package static let quiet = Duration.seconds(5)
    /// The maximum number of remembered faults.
    ///
    /// Beyond it, all are dropped.
    package static let capacity = 10_000

    /// A fault that is over.
    package struct Past: Sendable, Hashable {
        /// The time from the first failure to the success.
        package let lasted: Duration
        /// The number of failures.
        package let failures: Int
    }

    private struct Episode {
        enum State {
            case over
            /// The fault came back too soon after its last report.
            case unreported
            case reported(since: ContinuousClock.Instant)
        }

        var state: State
        var reportedAt: ContinuousClock.Instant
        var failedAt: ContinuousClock.Instant
        /// The failures since the last report of a beginning or an end.
        var failures = 0

        var isOpen: Bool { if case .over = state { false } else { true } }
    }

    private var episodes: [DatabaseFault: Episode] = [:]

    /// The number of faults that are not over.
    package private(set) var openCount = 0

    /// Creates a value without a fault.
    package init() {}

    /// The number of remembered faults.
    package var count: Int { episodes.count }

    /// Counts a failure.
    ///
    /// - Returns: The failures that were not reported since the fault was over, or `nil` if this one is not to be reported either.
    package mutating func failed(_ fault: DatabaseFault, at now: ContinuousClock.Instant) -> Int? {
        guard var episode = episodes[fault] else {
            if episodes.count >= Self.capacity { (episodes, openCount) = ([:], 0) }
            episodes[fault] = Episode(state: .reported(since: now), reportedAt: now, failedAt: now, failures: 1)
            openCount += 1
            return 0
        }
        if !episode.isOpen { openCount += 1 }
        let unreported = episode.failures
        episode.failedAt = now
        episode.failures += 1
        let isNew =
            switch episode.state {
            case .reported: false
            case .over, .unreported: now - episode.reportedAt >= Self.interval
            }
        if isNew {
            episode.reportedAt = now
            episode.state = .reported(since: now)
            episode.failures = 1
        } else if case .over = episode.state {
            episode.state = .unreported
        }
        episodes[fault] = episode
        return isNew ? unreported : nil
    }

    /// Counts a success, which ends a fault that nothing has failed by lately.
    ///
    /// - Returns: The fault's facts if its end is to be reported.
    package mutating func worked(_ fault: DatabaseFault, at now: ContinuousClock.Instant) -> Past? {
        guard var episode = episodes[fault], episode.isOpen, now - episode.failedAt >= Self.quiet else { return nil }
        openCount -= 1
        var past: Past?
        if case .reported(let start) = episode.state {
            past = Past(lasted: now - start, failures: episode.failures)
            episode.failures = 0
        }
        episode.state = .over
        episodes[fault] = episode
        return past
    }

    /// Returns true if a fault is under way: it is not over, and something has failed by it within a time.
    package func isOpen(_ kind: DatabaseFault.Kind, within time: Duration, at now: ContinuousClock.Instant) -> Bool {
        openCount > 0
            && episodes.contains { $0.key.kind == kind && $0.value.isOpen && now - $0.value.failedAt < time }
    }
}
