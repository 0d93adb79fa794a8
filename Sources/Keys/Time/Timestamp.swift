/// An instant in microseconds, as PostgreSQL stores it, between the years 1 and 9999.
///
/// RFC 3339 can write these years. An instant outside, such as PostgreSQL's `infinity`, becomes the nearest instant inside, so
/// arithmetic neither traps nor wraps.
public struct Timestamp: Sendable, Hashable {
    /// The microseconds since 1970-01-01T00:00:00Z.
    ///
    /// Leap seconds are not counted.
    public let microsecondsSinceUnixEpoch: Int64

    /// Creates an instant from the microseconds since 1970-01-01T00:00:00Z.
    public init(microsecondsSinceUnixEpoch microseconds: Int64) {
        microsecondsSinceUnixEpoch = min(max(microseconds, Self.earliestMicroseconds), Self.latestMicroseconds)
    }

    /// 0001-01-01T00:00:00Z.
    public static let earliest = Timestamp(microsecondsSinceUnixEpoch: earliestMicroseconds)

    /// 9999-12-31T23:59:59.999999Z.
    public static let latest = Timestamp(microsecondsSinceUnixEpoch: latestMicroseconds)

    private static let earliestMicroseconds: Int64 = -62_135_596_800_000_000
    private static let latestMicroseconds: Int64 = 253_402_300_799_999_999
}

extension Timestamp: Comparable {
    /// Returns true if the first instant is before the second.
    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.microsecondsSinceUnixEpoch < rhs.microsecondsSinceUnixEpoch
    }
}

extension Timestamp {
    /// Returns the instant that is `duration` later.
    ///
    /// Parts of a microsecond are dropped.
    public static func + (instant: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: saturating(instant.microsecondsSinceUnixEpoch, plus: duration))
    }

    /// Returns the instant that is `duration` earlier.
    ///
    /// Parts of a microsecond are dropped.
    public static func - (instant: Timestamp, duration: Duration) -> Timestamp {
        instant + (.zero - duration)
    }

    /// Returns the time from the second instant to the first.
    ///
    /// It is negative if the first is earlier.
    public static func - (end: Timestamp, start: Timestamp) -> Duration {
        .microseconds(end.microsecondsSinceUnixEpoch - start.microsecondsSinceUnixEpoch)
    }

    private static func saturating(_ microseconds: Int64, plus duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let limit: Int64 = seconds < 0 ? .min : .max
        let (whole, wholeOverflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (added, addedOverflows) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        let (sum, sumOverflows) = microseconds.addingReportingOverflow(added)
        return wholeOverflows || addedOverflows || sumOverflows ? limit : sum
    }
}
