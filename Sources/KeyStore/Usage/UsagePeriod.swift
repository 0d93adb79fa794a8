public import FoundationEssentials
public import Keys

/// The length of a period of a chart of usage.
public enum UsagePeriod: String, Sendable, CaseIterable {
    /// One hour. The last 24 hours are shown.
    case hour
    /// One day in UTC. The last 30 days are shown.
    case day

    /// The number of rows from which a chart lacks some: more than all verdicts have in 30 periods.
    private static let mostRows = 10_000

    private var count: Int { self == .hour ? 24 : 30 }
    private var step: UsageRequest.Step { self == .hour ? .hour : .day }

    /// Returns the starts of the periods that a chart shows, the present one as the last.
    public func starts(until now: Timestamp) -> [Timestamp] {
        let last = step.beginning(now)
        return (0..<count).reversed().map { last - .seconds(step.seconds * Int64($0)) }
    }

    /// Returns the request for the counts of a chart, by verdict.
    ///
    /// - Parameters:
    ///   - key: The only key; `nil` for all keys of the database.
    ///   - now: The end of the chart.
    /// - Returns: The request.
    public func request(for key: UUID?, until now: Timestamp) -> UsageRequest {
        UsageRequest(
            keyID: key,
            since: starts(until: now).first,
            until: now,
            step: step,
            grouping: .code,
            limit: Self.mostRows
        )
    }
}
