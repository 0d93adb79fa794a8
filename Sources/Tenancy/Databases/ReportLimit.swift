package import FoundationEssentials

/// Decides which reports about workspaces are worth a line: a database that is away fails every request, and a line for each would be one
/// more outage.
package struct ReportLimit {
    /// How often a workspace has a line at most.
    package static let interval = Duration.seconds(10)
    /// How many workspaces are remembered; beyond, all are forgotten.
    package static let capacity = 10_000

    private var entries: [UUID: (next: ContinuousClock.Instant, unsaid: Int)] = [:]

    /// Nothing was reported yet.
    package init() {}

    /// How many workspaces are remembered.
    package var count: Int { entries.count }

    /// Notes a report.
    ///
    /// - Returns: how many of the workspace were left out since its last line; `nil` where this one is left out, too.
    package mutating func admit(_ workspace: UUID, at now: ContinuousClock.Instant) -> Int? {
        if let entry = entries[workspace], now < entry.next {
            entries[workspace]?.unsaid += 1
            return nil
        }
        let unsaid = entries[workspace]?.unsaid ?? 0
        if entries.count >= Self.capacity { entries = [:] }
        entries[workspace] = (now + Self.interval, 0)
        return unsaid
    }
}
