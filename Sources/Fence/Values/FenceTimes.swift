/// The durations of the fence protocol (decision 0014).
///
/// All nodes and mutators of a cluster must have the same values.
public struct FenceTimes: Sendable, Hashable {
    /// The time for which a node trusts a lease, from before the renewal was sent (rule 1).
    public let trust: Duration
    /// The time for which a mutator waits for nodes that do not acknowledge its fence (rule 2).
    public let wait: Duration
    /// The time between two renewals of a lease, from one sending to the next.
    public let renewal: Duration
    /// The time after which the server removes a fence that was not lifted.
    public let fenceLife: Duration

    /// The durations of a server: 2 s, 2.4 s, 0.8 s and 24 s.
    ///
    /// A revocation must return within 3.5 s although a node is silent, and it needs a second of that for its own transaction.
    public static let standard = FenceTimes(trust: .seconds(2))

    /// Creates durations that have the proportions of ``standard``.
    ///
    /// - Parameter trust: The time for which a node trusts a lease.
    public init(trust: Duration) {
        self.trust = trust
        wait = trust * 6 / 5
        renewal = trust * 2 / 5
        fenceLife = trust * 12
    }

    /// The maximum time of a renewal, after which its answer is dropped.
    ///
    /// A lease that arrives later is of little use, and the next renewal can reach another server.
    var renewalDeadline: Duration { trust * 4 / 5 }

    /// Returns the pause before the next attempt to connect, which is short, because a lease does not last long.
    ///
    /// - Parameter failures: The number of attempts that failed since the last renewal.
    /// - Returns: The pause, at most half the time between two renewals.
    func pause(after failures: Int) -> Duration {
        min(renewal / 2, renewal / 100 * (1 << min(failures, 6)))
    }
}
