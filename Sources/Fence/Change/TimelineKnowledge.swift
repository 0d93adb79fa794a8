/// The timelines of a cluster that a process has seen (rule 32).
///
/// Acknowledgements suffice only when no lease of an earlier timeline can be good any more.
public struct TimelineKnowledge: Sendable {
    private let wait: Duration
    private var timeline: ServerTimeline?
    private var since = Moment.distantPast

    /// Creates the knowledge of a process that has seen no timeline.
    ///
    /// - Parameter times: The durations of the protocol.
    public init(times: FenceTimes = .standard) {
        wait = times.wait
    }

    /// Notes the timeline that a session has read.
    ///
    /// - Parameters:
    ///   - timeline: The timeline.
    ///   - now: The clock after the answer.
    public mutating func saw(_ timeline: ServerTimeline, at now: Moment) {
        guard timeline != self.timeline else { return }
        self.timeline = timeline
        since = now
    }

    /// Decides if acknowledgements that a session reads suffice.
    ///
    /// - Parameters:
    ///   - timeline: The timeline of the session.
    ///   - recorded: The timeline in the cluster's row, or `nil` if there is no row.
    ///   - now: The clock.
    /// - Returns: True if they suffice.
    public func acknowledgementsSuffice(on timeline: ServerTimeline, recorded: ServerTimeline?, at now: Moment) -> Bool
    {
        if recorded == timeline { return true }
        return timeline == self.timeline && now >= since + wait
    }
}
