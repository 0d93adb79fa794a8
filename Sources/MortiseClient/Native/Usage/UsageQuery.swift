#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The interval, the step and the rows of a usage report.
public struct UsageQuery: Sendable, Hashable {
    /// The length of the steps of a report, which begin at full minutes, hours and days in UTC.
    public enum Step: String, Sendable, Hashable, CaseIterable {
        /// One minute, for the last 48 hours.
        case minute
        /// One hour, for the last 400 days.
        case hour
        /// One day, for the last 400 days.
        case day
    }

    /// The members that tell the rows of one step apart.
    public enum Grouping: String, Sendable, Hashable, CaseIterable {
        /// A row for each verdict.
        case code
        /// A row for each key.
        case key
        /// A row for each verdict and key.
        case codeAndKey = "code,key"
    }

    /// The time whose step is the first of the report; `nil` means 24 hours before `until`.
    public var since: Date?
    /// The time before which the steps of the report begin; `nil` means the present.
    public var until: Date?
    /// The length of the steps.
    public var step: Step
    /// The members that tell the rows of one step apart; `nil` means one row for each step.
    public var grouping: Grouping?

    /// Creates a query.
    ///
    /// Each parameter has the meaning of its property.
    public init(since: Date? = nil, until: Date? = nil, step: Step = .hour, grouping: Grouping? = nil) {
        self.since = since
        self.until = until
        self.step = step
        self.grouping = grouping
    }

    /// The parameters of the request.
    var parameters: [(name: String, value: String?)] {
        [
            ("since", since?.rfc3339), ("until", until?.rfc3339), ("step", step.rawValue),
            ("group_by", grouping?.rawValue),
        ]
    }
}
