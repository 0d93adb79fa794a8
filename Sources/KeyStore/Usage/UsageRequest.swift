public import FoundationEssentials
public import Keys

/// A request for a part of a usage report.
public struct UsageRequest: Sendable {
    /// The length of a report's steps.
    ///
    /// Steps begin at full minutes, hours and days in UTC.
    public enum Step: String, Sendable, CaseIterable {
        /// One minute.
        case minute
        /// One hour.
        case hour
        /// One day.
        case day

        /// The time for which the counts of such steps are kept.
        public var range: Duration {
            switch self {
            case .minute: .seconds(48 * 3600)
            case .hour, .day: .seconds(400 * 86_400)
            }
        }

        /// The range in words.
        public var rangeText: String { self == .minute ? "48 hours" : "400 days" }

        /// The length in seconds.
        var seconds: Int64 {
            switch self {
            case .minute: 60
            case .hour: 3600
            case .day: 86_400
            }
        }

        /// Returns the beginning of the step that contains an instant.
        func beginning(_ instant: Timestamp) -> Timestamp {
            let length = seconds * 1_000_000
            let remainder = instant.microsecondsSinceUnixEpoch % length
            let rest = remainder < 0 ? remainder + length : remainder
            return Timestamp(microsecondsSinceUnixEpoch: instant.microsecondsSinceUnixEpoch - rest)
        }
    }

    /// The members that tell the rows of one step apart.
    public enum Grouping: String, Sendable, CaseIterable {
        /// One row for each step.
        case none = ""
        /// One row for each verdict.
        case code
        /// One row for each key.
        case key
        /// One row for each verdict and key.
        case codeAndKey = "code,key"
    }

    /// The only key to report on; `nil` reports on all keys of the database.
    public var keyID: UUID?
    /// The instant whose step is the first of the report; `nil` is 24 hours before `until`.
    public var since: Timestamp?
    /// The instant before which the steps of the report begin; `nil` is the present.
    public var until: Timestamp?
    /// The length of the steps.
    public var step: Step
    /// The members of the rows.
    public var grouping: Grouping
    /// The maximum number of rows.
    public var limit: Int
    /// The row that the page continues after; `nil` begins with the first row.
    public var cursor: UsageCursor?

    /// Creates a request.
    public init(
        keyID: UUID? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil,
        step: Step = .hour,
        grouping: Grouping = .none,
        limit: Int = 50,
        cursor: UsageCursor? = nil
    ) {
        self.keyID = keyID
        self.since = since
        self.until = until
        self.step = step
        self.grouping = grouping
        self.limit = limit
        self.cursor = cursor
    }

    /// Returns the time between the first step of the report and its end.
    ///
    /// - Parameter now: The database's time.
    /// - Returns: The interval. It is empty if nothing can be in it.
    /// - Throws: ``UsageRangeFault`` if `since` is not before `until`, or if the step is not kept for so long.
    func interval(at now: Timestamp) throws(UsageRangeFault) -> (since: Timestamp, until: Timestamp) {
        let until = until ?? now
        let since = since ?? until - .seconds(86_400)
        guard since < until else { throw .isEmpty }
        let first = step.beginning(since)
        // A caller whose clock is late, or who computed the bound a moment ago, gets the oldest step.
        guard first >= step.beginning(now - step.range) else { throw .isTooLong(step) }
        return (first, until)
    }
}

/// The reason for which a report cannot have an interval.
public enum UsageRangeFault: Error, Sendable {
    /// `since` is not before `until`.
    case isEmpty
    /// `since` lies before the oldest counts of that step.
    case isTooLong(UsageRequest.Step)
}

/// A row of a usage report: the number of verifications in one step.
public struct UsageRow: Sendable, Hashable {
    /// The beginning of the step.
    public let start: Timestamp
    /// The verdict; `nil` if rows are not grouped by it.
    public let code: String?
    /// The key; `nil` if rows are not grouped by it.
    public let keyID: UUID?
    /// The number of verifications.
    public let count: Int
}

/// A position in a usage report, which is ordered by step, verdict and key.
public struct UsageCursor: Sendable, Hashable {
    let start: Timestamp
    let code: String
    let keyID: UUID

    /// The id of rows without a key, which is less than every other.
    private static let noKey = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    /// Creates the position of a row.
    public init(_ row: UsageRow) {
        start = row.start
        code = row.code ?? ""
        keyID = row.keyID ?? Self.noKey
    }

    /// Parses a cursor's text, or returns `nil` for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let microseconds = Int64(parts[0], radix: 36),
            (Timestamp.earliest.microsecondsSinceUnixEpoch...Timestamp.latest.microsecondsSinceUnixEpoch)
                .contains(microseconds),
            parts[1].isEmpty || VerdictCode(rawValue: parts[1]) != nil, let keyID = UUID(uuidString: parts[2])
        else { return nil }
        start = Timestamp(microsecondsSinceUnixEpoch: microseconds)
        code = parts[1]
        self.keyID = keyID
        guard self.text == text else { return nil }
    }

    /// Returns true if the position can be one of a report with such steps and rows.
    ///
    /// In another report, the position can lie behind all rows, and an empty page would look like no use.
    public func belongs(to request: UsageRequest) -> Bool {
        let hasCode = request.grouping == .code || request.grouping == .codeAndKey
        let hasKey = request.grouping == .key || request.grouping == .codeAndKey
        return request.step.beginning(start) == start && code.isEmpty != hasCode && (keyID == Self.noKey) != hasKey
    }

    /// The cursor's text for clients.
    ///
    /// It contains nothing that the report does not show.
    public var text: String {
        "\(String(start.microsecondsSinceUnixEpoch, radix: 36)).\(code).\(UUIDv7.text(of: keyID))"
    }
}
