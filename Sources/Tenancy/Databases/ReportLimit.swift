package import FoundationEssentials

/// Limits the log lines about unreachable workspaces.
///
/// An unreachable database fails every request, and a line for each would be another outage.
package struct ReportLimit {
    /// The minimum time between two lines about one workspace.
    package static let interval = Duration.seconds(10)
    /// The maximum number of remembered workspaces.
    ///
    /// Beyond it, all are dropped.
    package static let capacity = 10_000

    private var entries: [UUID: (next: ContinuousClock.Instant, suppressed: Int)] = [:]

    /// Creates a limit without any report.
    package init() {}

    /// The number of remembered workspaces.
    package var count: Int { entries.count }

    /// Counts a report.
    ///
    /// - Returns: The number of reports that were suppressed since the workspace's last line, or `nil` to suppress this
    ///   one, too.
    package mutating func admit(_ workspace: UUID, at now: ContinuousClock.Instant) -> Int? {
        if let entry = entries[workspace], now < entry.next {
            entries[workspace]?.suppressed += 1
            return nil
        }
        let suppressed = entries[workspace]?.suppressed ?? 0
        if entries.count >= Self.capacity { entries = [:] }
        entries[workspace] = (now + Self.interval, 0)
        return suppressed
    }
}
