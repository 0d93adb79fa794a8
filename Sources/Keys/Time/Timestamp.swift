/// An instant in microseconds, as PostgreSQL keeps it, between the years 1 and 9999.
///
/// Those are the years that RFC 3339 can write. Whatever lies outside, PostgreSQL's `infinity` among it, becomes the
/// nearest instant inside, so arithmetic never traps and never wraps.
public struct Timestamp: Sendable, Hashable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let microsecondsSinceUnixEpoch: Int64

    /// The instant that many microseconds after 1970-01-01T00:00:00Z.
    public init(microsecondsSinceUnixEpoch microseconds: Int64) {
        microsecondsSinceUnixEpoch = min(max(microseconds, Self.earliestMicroseconds), Self.latestMicroseconds)
    }

    /// 0001-01-01T00:00:00Z.
    public static let earliest = Timestamp(microsecondsSinceUnixEpoch: earliestMicroseconds)

    /// 9999-12-31T23:59:59.999999Z.
    public static let latest = Timestamp(microsecondsSinceUnixEpoch: latestMicroseconds)

    static let earliestMicroseconds: Int64 = -62_135_596_800_000_000
    static let latestMicroseconds: Int64 = 253_402_300_799_999_999
}

extension Timestamp: Comparable {
    /// Whether the first instant comes before the second.
    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool {
        lhs.microsecondsSinceUnixEpoch < rhs.microsecondsSinceUnixEpoch
    }
}

extension Timestamp {
    /// The instant `duration` later; parts of a microsecond are dropped.
    public static func + (instant: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: saturating(instant.microsecondsSinceUnixEpoch, plus: duration))
    }

    /// The instant `duration` earlier; parts of a microsecond are dropped.
    public static func - (instant: Timestamp, duration: Duration) -> Timestamp {
        instant + (.zero - duration)
    }

    /// The time from the second instant to the first, negative where the first is earlier.
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
